//! Runs a prepared request against the world.

use apollo_compiler::resolvers;
use serde_json::{Value, json};

use super::object::Object;
use super::{Context, Engine, Entity, Prepared};
use crate::refusal::Refusal;

/// What came of it.
pub(crate) struct Execution {
    /// `{data, errors?}`.
    pub(crate) body: Value,
    /// The first error's message.
    pub(crate) error: Option<String>,
}

/// Executes. Errors keep the data that does not depend on them, as the GraphQL specification asks.
pub(crate) fn execute(engine: &Engine, prepared: &Prepared, context: &Context<'_>) -> Execution {
    let root = Object {
        context,
        type_name: if prepared.mutation {
            "Mutation"
        } else {
            "Query"
        }
        .to_owned(),
        entity: if prepared.mutation {
            Entity::Mutation
        } else {
            Entity::Query
        },
    };
    let outcome = resolvers::Execution::new(&engine.schema, &prepared.document)
        .operation_name(prepared.operation.as_deref())
        .map(|execution| {
            execution
                .enable_schema_introspection(true)
                .coerced_variable_values(&prepared.variables)
                .execute_sync(&root)
        });
    let response = match outcome {
        Ok(Ok(response)) => serde_json::to_value(&response).unwrap_or(Value::Null),
        Ok(Err(error)) | Err(error) => {
            json!({"data": null, "errors": [{"message": error.message().to_string()}]})
        }
    };
    let errors: Vec<Value> = response["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| dressed(context, error))
        .collect();
    let error = errors
        .first()
        .and_then(|error| error["message"].as_str())
        .map(str::to_owned);
    let mut body = json!({});
    if !errors.is_empty() {
        body["errors"] = Value::Array(errors);
    }
    body["data"] = response["data"].clone();
    Execution { body, error }
}

/// An error as Railway writes it: its own message, code and trace id.
fn dressed(context: &Context<'_>, error: &Value) -> Value {
    let mut dressed = error.clone();
    let text = error["message"].as_str().unwrap_or_default();
    let packed = text.strip_prefix("resolver error: ").unwrap_or(text);
    let (message, code) = Refusal::unpack(packed)
        .unwrap_or_else(|| (text.to_owned(), Some("INTERNAL_SERVER_ERROR".to_owned())));
    if message == Refusal::Problem.to_string()
        && let Some(dressed) = dressed.as_object_mut()
    {
        dressed.remove("path");
        dressed.remove("locations");
    }
    dressed["message"] = json!(message);
    if let Some(code) = code {
        dressed["extensions"] = json!({"code": code});
    }
    dressed["traceId"] = json!(context.world.borrow_mut().random.next().to_string());
    dressed
}
