//! The document of Mirage's own operations, and whether answers are as it says.

use serde_json::Value;

use crate::world::{World, send};

/// Holds an answer against the document.
pub(crate) async fn conforms(world: &World, method: &str, path: &str, answer: &Value) {
    let (code, document) = world.get("/api/v1/openapi.json").await;
    assert_eq!(code, 200);
    let content = &document["paths"][path][method]["responses"]["200"]["content"];
    let schema = &content["application/json"]["schema"];
    assert!(!schema.is_null(), "{method} {path} is not in the document");
    let mut faults = Vec::new();
    check(&document, schema, answer, "", &mut faults);
    assert_eq!(faults, Vec::<String>::new(), "{method} {path}: {answer}");
}

/// The part of JSON Schema that the document uses. What it does not know of makes it fail, so that it cannot pass by
/// overlooking something.
fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Value::Object(rules) = schema else {
        return;
    };
    for (rule, wanted) in rules {
        match rule.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().trim_start_matches('#');
                check(
                    document,
                    document.pointer(pointer).unwrap(),
                    value,
                    at,
                    faults,
                );
            }
            "type" => {
                let mut types = wanted
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![wanted.clone()]);
                types.retain(|wanted| is_of(wanted.as_str().unwrap(), value));
                if types.is_empty() {
                    faults.push(format!("{at}: {value} is not {wanted}"));
                }
            }
            "const" if wanted != value => faults.push(format!("{at}: {value} is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                faults.push(format!("{at}: {value} is not one of {wanted}"));
            }
            "required" => {
                for name in wanted.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        faults.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(document, schema, value, &format!("{at}/{name}"), faults);
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, wanted, item, &format!("{at}/{index}"), faults);
                }
            }
            "anyOf" | "oneOf" => {
                let fits = wanted.as_array().unwrap().iter().any(|schema| {
                    let mut faults = Vec::new();
                    check(document, schema, value, at, &mut faults);
                    faults.is_empty()
                });
                if !fits {
                    faults.push(format!("{at}: {value} is none of {wanted}"));
                }
            }
            "additionalProperties" => {
                let known = rules.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                for (name, value) in
                    others.filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)))
                {
                    if *wanted == Value::Bool(false) {
                        faults.push(format!("{at}: {name} is unknown"));
                    }
                    check(document, wanted, value, &format!("{at}/{name}"), faults);
                }
            }
            "const" | "enum" | "description" | "format" | "default" | "minimum" | "maximum"
            | "title" => {}
            unknown => faults.push(format!("{at}: the test does not know {unknown}")),
        }
    }
}

fn is_of(wanted: &str, value: &Value) -> bool {
    match wanted {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[tokio::test]
async fn the_document_is_served_to_programs_and_as_a_page_to_people() {
    let world = World::new().await;
    let (code, document) = world.get("/api/v1/openapi.json").await;
    assert_eq!((code, &document["openapi"]), (200, &"3.1.0".into()));
    conforms(&world, "get", "/api/v1/openapi.json", &document).await;
    let (code, _, _) = send(
        world.api.router(),
        "GET",
        "/api/v1/openapi.json",
        &[],
        String::new(),
    )
    .await;
    assert_eq!(code, 401);

    let (code, headers, page) = send(
        world.api.router(),
        "GET",
        "/api/v1/docs",
        &[],
        String::new(),
    )
    .await;
    assert_eq!(code, 200);
    assert!(
        page.as_str().unwrap().contains("/api/v1/railway/projects"),
        "{page}"
    );
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    // kubectl's own documents stay where they were.
    assert_eq!(world.get("/openapi/v3").await.0, 200);
}
