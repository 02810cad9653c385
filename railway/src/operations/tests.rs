//! Every document is valid in our schema, and our schema is a part of the official one.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use apollo_compiler::{ExecutableDocument, Schema, validation::Valid};
use serde_json::Value;

use super::*;

const OURS: &str = include_str!("../../schema.graphql");

fn ours() -> Valid<Schema> {
    Schema::parse_and_validate(OURS, "schema.graphql").unwrap_or_else(|errors| panic!("{errors}"))
}

fn documents() -> Vec<(String, String)> {
    let mut documents: Vec<_> = DOCUMENTS
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    for count in [1, 3, 20] {
        documents.push((
            format!("{count} configs"),
            by_alias::environment_configs(count),
        ));
    }
    documents.push((
        "types".to_owned(),
        by_alias::described_types(["Query", "Mutation"]),
    ));
    documents
}

fn assert_accepts(schema: &Valid<Schema>) {
    for (path, document) in documents() {
        if let Err(errors) = ExecutableDocument::parse_and_validate(schema, document, &path) {
            panic!("{path}: {errors}");
        }
    }
}

#[test]
fn every_operation_is_valid_in_our_schema() {
    assert_accepts(&ours());
}

#[test]
fn every_file_of_the_folder_is_an_operation_in_use() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("operations");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, DOCUMENTS.len());
}

#[test]
fn a_document_tells_whether_it_changes_something() {
    for (path, document) in documents() {
        let body = document
            .lines()
            .find(|line| !line.starts_with('#'))
            .unwrap();
        let expected = if body.starts_with("mutation ") {
            Kind::Mutation
        } else {
            Kind::Query
        };
        assert_eq!(kind_of(&document), expected, "{path}");
    }
}

#[test]
fn the_official_schema_accepts_every_operation_and_has_all_of_ours() {
    let path = std::env::var_os("MIRAGE_OFFICIAL_SCHEMA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/railway/schema.json"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!(
            "\n\n    SKIPPED: Railway's official schema is not at {}.\n    Set MIRAGE_OFFICIAL_SCHEMA to an introspection \
             result to hold our operations against it.\n\n",
            path.display()
        );
        return;
    };
    let introspection: Value = serde_json::from_str(&text).unwrap();
    let root = introspection
        .pointer("/data/__schema")
        .or_else(|| introspection.get("__schema"))
        .unwrap();
    let official = Schema::parse_and_validate(sdl(root), "official")
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_accepts(&official);

    let (ours, theirs) = (shape(&ours()), shape(&official));
    assert!(ours.len() > 100);
    for (name, ty) in ours {
        assert_eq!(theirs.get(&name), Some(&ty), "{name}");
    }
}

/// Fields, arguments, input fields and enum values by their path, each with its type.
fn shape(schema: &Schema) -> BTreeMap<String, String> {
    use apollo_compiler::schema::ExtendedType;
    let mut shape = BTreeMap::new();
    for (name, ty) in &schema.types {
        if ty.is_built_in() {
            continue;
        }
        match ty {
            ExtendedType::Object(object) => {
                for (field, definition) in &object.fields {
                    shape.insert(format!("{name}.{field}"), definition.ty.to_string());
                    for argument in &definition.arguments {
                        shape.insert(
                            format!("{name}.{field}({})", argument.name),
                            argument.ty.to_string(),
                        );
                    }
                }
            }
            ExtendedType::InputObject(input) => {
                for (field, definition) in &input.fields {
                    shape.insert(format!("{name}.{field}"), definition.ty.to_string());
                }
            }
            ExtendedType::Enum(values) => {
                for value in values.values.keys() {
                    shape.insert(format!("{name}.{value}"), "value".to_owned());
                }
            }
            ExtendedType::Scalar(_) => {
                shape.insert(name.to_string(), "scalar".to_owned());
            }
            ExtendedType::Interface(_) | ExtendedType::Union(_) => {}
        }
    }
    shape
}

/// The introspection result in the schema language.
fn sdl(schema: &Value) -> String {
    let mut sdl = String::from("schema {\n");
    for (root, key) in [
        ("query", "queryType"),
        ("mutation", "mutationType"),
        ("subscription", "subscriptionType"),
    ] {
        if let Some(name) = schema[key]["name"].as_str() {
            writeln!(sdl, "  {root}: {name}").unwrap();
        }
    }
    sdl.push_str("}\n");
    for ty in schema["types"].as_array().unwrap() {
        let name = ty["name"].as_str().unwrap();
        let is_built_in = ["String", "Int", "Float", "Boolean", "ID"].contains(&name);
        if name.starts_with("__") || is_built_in {
            continue;
        }
        match ty["kind"].as_str().unwrap() {
            "SCALAR" => writeln!(sdl, "scalar {name}").unwrap(),
            "ENUM" => {
                let values: Vec<_> = names(&ty["enumValues"]);
                writeln!(sdl, "enum {name} {{ {} }}", values.join(" ")).unwrap();
            }
            "UNION" => writeln!(
                sdl,
                "union {name} = {}",
                names(&ty["possibleTypes"]).join(" | ")
            )
            .unwrap(),
            "INPUT_OBJECT" => {
                writeln!(sdl, "input {name} {{ {} }}", inputs(&ty["inputFields"])).unwrap();
            }
            kind => {
                let word = if kind == "INTERFACE" {
                    "interface"
                } else {
                    "type"
                };
                let interfaces = names(&ty["interfaces"]);
                let implements = if interfaces.is_empty() {
                    String::new()
                } else {
                    format!(" implements {}", interfaces.join(" & "))
                };
                writeln!(sdl, "{word} {name}{implements} {{").unwrap();
                for field in ty["fields"].as_array().unwrap() {
                    let arguments = inputs(&field["args"]);
                    let arguments = if arguments.is_empty() {
                        arguments
                    } else {
                        format!("({arguments})")
                    };
                    writeln!(
                        sdl,
                        "  {}{arguments}: {}",
                        field["name"].as_str().unwrap(),
                        type_name(&field["type"])
                    )
                    .unwrap();
                }
                sdl.push_str("}\n");
            }
        }
    }
    sdl
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect()
}

fn inputs(list: &Value) -> String {
    let inputs: Vec<_> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(|input| {
            let default = input["defaultValue"]
                .as_str()
                .map(|value| format!(" = {value}"))
                .unwrap_or_default();
            format!(
                "{}: {}{default}",
                input["name"].as_str().unwrap(),
                type_name(&input["type"])
            )
        })
        .collect();
    inputs.join(", ")
}

fn type_name(ty: &Value) -> String {
    match ty["kind"].as_str().unwrap() {
        "NON_NULL" => format!("{}!", type_name(&ty["ofType"])),
        "LIST" => format!("[{}]", type_name(&ty["ofType"])),
        _ => ty["name"].as_str().unwrap().to_owned(),
    }
}
