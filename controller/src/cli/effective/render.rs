//! An effective environment as a table, services after what is of all of them.

use std::{collections::BTreeMap, io::Write};

use mirage_specs::Variable;
use serde_json::Value;

use crate::cli::{failure::Failure, table};

use super::{Answer, Field, select::in_service};

/// More of a value is for `-o json`.
const WIDEST: usize = 60;

/// Writes every value beside its origin.
pub(super) fn write(out: &mut dyn Write, answer: &Answer) -> Result<(), Failure> {
    writeln!(out, "{}\n", head(answer))?;
    let mut lines = vec![["FIELD", "VALUE", "FROM"].map(str::to_owned).to_vec()];
    let mut services: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for field in &answer.fields {
        match in_service(&field.path) {
            Some((service, inside)) => {
                let of_service = services.entry(service).or_default();
                of_service.push(line(&format!("  {inside}"), field));
            }
            None => {
                let path = field.path.strip_prefix("spec.").unwrap_or(&field.path);
                lines.push(line(path, field));
            }
        }
    }
    for (service, of_service) in services {
        lines.push(vec![format!("services.{service}")]);
        lines.extend(of_service);
    }
    table::align(out, &lines)
}

fn head(answer: &Answer) -> String {
    let name = &answer.environment;
    let Some(template) = &answer.template else {
        return format!("{name}, without a template");
    };
    let revision = match template.generation {
        Some(generation) => format!("generation {generation}"),
        None => "which ships with Mirage".to_owned(),
    };
    let parameters: Vec<String> = template
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", text(value)))
        .collect();
    let with = if parameters.is_empty() {
        String::new()
    } else {
        format!(", with {}", parameters.join(", "))
    };
    format!("{name}, on template {} ({revision}){with}", template.name)
}

fn line(path: &str, field: &Field) -> Vec<String> {
    let is_variable = is_variable(&field.path);
    let shown = |value: &Option<Value>| match value {
        Some(value) if is_variable => variable(value),
        Some(value) => text(value),
        None => "(removed)".to_owned(),
    };
    let mut value = shown(&field.value);
    if let Some(fingerprint) = &field.fingerprint {
        let short: String = fingerprint.chars().take(8).collect();
        value.push_str(&format!(" (fingerprint {short})"));
    }
    let mut from = field.origin.to_string();
    if !field.parameters.is_empty() {
        from.push_str(&format!(
            " by params.{}",
            field.parameters.join(", params.")
        ));
    }
    for (position, below) in field.overridden.iter().enumerate() {
        let joint = if position == 0 { "; over" } else { "," };
        from.push_str(&format!(
            "{joint} {}: {}",
            below.origin,
            shortened(&shown(&below.value))
        ));
    }
    vec![path.to_owned(), shortened(&value), from]
}

fn is_variable(path: &str) -> bool {
    let inside = in_service(path).map_or(path, |(_, inside)| inside);
    inside.starts_with("variables.") || inside.starts_with("spec.variables.")
}

/// What a variable is; a value that Mirage does not show has none here.
fn variable(value: &Value) -> String {
    match serde_json::from_value::<Variable>(value.clone()) {
        Ok(Variable::Plain(text)) => text,
        Ok(Variable::SecretRef(key)) => format!("Secret {}, key {}", key.name, key.key),
        Ok(Variable::Preserve) => "(as Railway has it)".to_owned(),
        Ok(Variable::CopyFrom(from)) => {
            let service = from
                .service
                .map_or(String::new(), |name| format!("{name}."));
            format!(
                "(copied once from {}: {service}{})",
                from.environment, from.name
            )
        }
        Ok(Variable::Generate(how)) => format!("(made up once, {} characters)", how.length),
        Err(_) => text(value),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One line, not too long.
fn shortened(text: &str) -> String {
    let one_line = text.replace('\n', "\u{23ce}");
    if one_line.chars().count() <= WIDEST {
        return one_line;
    }
    one_line.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_stands_beside_its_origin_and_no_secret_is_shown() {
        let answer: Answer = serde_json::from_value(json!({
            "environment": "shop-prod",
            "namespace": "default",
            "template": {"name": "shop", "generation": 2, "parameters": {"replicas": 3, "version": "1.4.2"}},
            "fields": [
                {"path": "spec.approval", "value": "destructive", "origin": {"layer": "templateType", "type": "prod"}},
                {"path": "spec.type", "value": "prod", "origin": {"layer": "environment"}},
                {"path": "spec.services.api.deploy.replicas", "value": 3, "parameters": ["replicas"],
                 "origin": {"layer": "templateType", "type": "prod"},
                 "overridden": [{"origin": {"layer": "templateBase"}, "value": 1}]},
                {"path": "spec.services.api.variables.KEY", "fingerprint": "0123456789abcdef",
                 "value": {"secretRef": {"name": "stripe", "key": "key"}}, "origin": {"layer": "environment"}},
                {"path": "spec.services.api.variables.LOG", "origin": {"layer": "environment"},
                 "overridden": [{"origin": {"layer": "templateType", "type": "prod"}, "value": "info"},
                                {"origin": {"layer": "templateBase"}, "value": "debug"}]},
                {"path": "spec.services.api.variables.OTHER", "value": {"preserve": true}, "origin": {"layer": "environment"}},
                {"path": "spec.services.db.source.image", "value": "postgres:17",
                 "origin": {"layer": "engine", "engine": "postgres"}},
                {"path": "spec.services.db.variables.PASSWORD", "value": {"generate": {"length": 32}},
                 "origin": {"layer": "engine", "engine": "postgres"}},
            ],
        }))
        .unwrap();
        let mut out = Vec::new();
        write(&mut out, &answer).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        shop-prod, on template shop (generation 2), with replicas=3, version=1.4.2

        FIELD                  VALUE                                           FROM
        approval               destructive                                     template types.prod
        type                   prod                                            environment
        services.api
          deploy.replicas      3                                               template types.prod by params.replicas; over template base: 1
          variables.KEY        Secret stripe, key key (fingerprint 01234567)   environment
          variables.LOG        (removed)                                       environment; over template types.prod: info, template base: debug
          variables.OTHER      (as Railway has it)                             environment
        services.db
          source.image         postgres:17                                     engine: postgres
          variables.PASSWORD   (made up once, 32 characters)                   engine: postgres
        ");
    }
}
