//! Is this a request that Railway would execute at all?

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, parser::Parser};
use regex::Regex;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

use super::Engine;

/// A request that fits the schema.
pub(crate) struct Prepared {
    pub(super) document: Arc<Valid<ExecutableDocument>>,
    /// As the document has it.
    pub(crate) operation: Option<String>,
    /// Response key and name of each root field.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) mutation: bool,
    pub(super) variables: Valid<JsonMap>,
}

impl Prepared {
    pub(crate) fn asks_for(&self, field: &str) -> bool {
        self.fields.iter().any(|(_, name)| name == field)
    }
}

/// A request that does not: HTTP 400.
#[derive(Debug)]
pub(crate) struct Invalid {
    pub(crate) code: &'static str,
    pub(crate) errors: Vec<Value>,
}

impl Invalid {
    fn one(code: &'static str, message: &str) -> Self {
        Self {
            code,
            errors: vec![json!({"message": message})],
        }
    }

    fn diagnostics(code: &'static str, list: &DiagnosticList) -> Self {
        let mut errors: Vec<Value> = list
            .iter()
            .map(|diagnostic| {
                let mut error =
                    serde_json::to_value(diagnostic.to_json()).unwrap_or_else(|_| json!({}));
                if let Some(message) = error["message"].as_str() {
                    error["message"] = json!(in_usual_words(message));
                }
                error
            })
            .collect();
        // An unknown field also makes its variables look unused; the reference implementation does not say so.
        let is_unknown_field = |error: &Value| {
            error["message"]
                .as_str()
                .is_some_and(|message| message.starts_with("Cannot query field"))
        };
        if errors.iter().any(is_unknown_field) {
            errors.retain(is_unknown_field);
        }
        Self { code, errors }
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let errors: Vec<Value> = self
            .errors
            .iter()
            .map(|error| {
                let mut error = error.clone();
                error["extensions"] = json!({"code": self.code});
                error
            })
            .collect();
        json!({ "errors": errors })
    }
}

/// The reference implementation's phrasing, which clients look for.
fn in_usual_words(message: &str) -> String {
    static FIELD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("type `([^`]+)` does not have a field `([^`]+)`").expect("a constant pattern")
    });
    static ARGUMENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("the argument `([^`]+)` is not supported by `([^`]+)`")
            .expect("a constant pattern")
    });
    if let Some(found) = FIELD.captures(message) {
        return format!(
            "Cannot query field \"{}\" on type \"{}\".",
            &found[2], &found[1]
        );
    }
    if let Some(found) = ARGUMENT.captures(message) {
        return format!(
            "Unknown argument \"{}\" on field \"{}\".",
            &found[1], &found[2]
        );
    }
    message.to_owned()
}

impl Engine {
    /// Reads the body of a request: `{query, variables, operationName}`, the last two optional.
    pub(crate) fn prepare(&self, body: &Value) -> Result<Prepared, Invalid> {
        let text = body["query"]
            .as_str()
            .ok_or_else(|| Invalid::one("BAD_REQUEST", "Problem processing request"))?;
        let document = match self.known(text) {
            Some(document) => document,
            None => {
                let document = Arc::new(self.validated(text)?);
                self.keep(text, &document);
                document
            }
        };
        let wanted = body["operationName"]
            .as_str()
            .filter(|name| !name.is_empty());
        let operation = document.operations.get(wanted).map_err(|_| {
            Invalid::one(
                "OPERATION_RESOLUTION_FAILURE",
                "Must provide operation name if query contains multiple operations.",
            )
        })?;
        if operation.is_subscription() {
            return Err(Invalid::one(
                "NOT_SIMULATED",
                "mirage-railway-simulator does not simulate subscriptions",
            ));
        }
        let raw: JsonMap = match &body["variables"] {
            Value::Null => JsonMap::new(),
            given => match serde_json::from_value::<JsonValue>(given.clone()) {
                Ok(JsonValue::Object(map)) => map,
                _ => return Err(Invalid::one("BAD_REQUEST", "Problem processing request")),
            },
        };
        let variables = coerce_variable_values(&self.schema, operation, &raw)
            .map_err(|error| Invalid::one("BAD_USER_INPUT", &error.message().to_string()))?;
        let fields = operation
            .root_fields(&document)
            .map(|field| (field.response_key().to_string(), field.name.to_string()))
            .collect();
        Ok(Prepared {
            operation: operation.name.as_ref().map(ToString::to_string),
            mutation: operation.is_mutation(),
            fields,
            variables,
            document,
        })
    }

    fn validated(&self, text: &str) -> Result<Valid<ExecutableDocument>, Invalid> {
        if let Err(broken) = Parser::new().parse_ast(text, "query.graphql") {
            return Err(Invalid::diagnostics("GRAPHQL_PARSE_FAILED", &broken.errors));
        }
        ExecutableDocument::parse_and_validate(&self.schema, text, "query.graphql")
            .map_err(|broken| Invalid::diagnostics("GRAPHQL_VALIDATION_FAILED", &broken.errors))
    }
}
