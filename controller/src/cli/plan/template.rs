//! `mirage plan --template`: what a template would change about its environments.

use std::{io::Write, path::PathBuf};

use mirage_specs::PlanView;
use serde::{Deserialize, Serialize};

use super::render;
use crate::{
    cli::{
        connection::Connection,
        failure::Failure,
        kind::TEMPLATE,
        manifests,
        output::{self, Document},
    },
    exit::Exit,
};

/// The server's answer.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    template: String,
    namespace: String,
    parallel: usize,
    environments: Vec<Entry>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    environment: String,
    namespace: String,
    #[serde(default)]
    environment_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    railway_environment_id: Option<String>,
    #[serde(rename = "type")]
    environment_type: String,
    wave: usize,
    changes: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanView>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Asks for the plans of all environments of the template `name`, as it stands in `files` or, without them, as it is stored.
pub(super) async fn run(
    out: &mut dyn Write,
    connection: &Connection,
    name: &str,
    files: &[PathBuf],
    format: Option<Document>,
) -> Result<Exit, Failure> {
    let written = manifests::manifests(files)?
        .into_iter()
        .find(|manifest| manifest.kind == &TEMPLATE && manifest.name == name);
    if written.is_none() && !files.is_empty() {
        return Err(Failure::Usage(format!(
            "there is no EnvironmentTemplate {name} in the files that were given"
        )));
    }
    let (namespace, body) = match &written {
        Some(manifest) => {
            let namespace = manifest.object.metadata.namespace.as_deref();
            let namespace = connection.namespace_of(&manifest.file, namespace)?;
            let body = serde_json::to_vec(&manifest.object).map_err(Failure::Answer)?;
            (namespace, body)
        }
        None => (connection.namespace.clone(), Vec::new()),
    };
    let request = http::Request::post(format!("/api/v1/templates/{namespace}/{name}/plan"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    let answer: Answer = connection
        .client
        .request(request)
        .await
        .map_err(|error| connection.failed(error))?;
    match format {
        Some(format) => output::document(out, format, &answer)?,
        None => write(out, &answer)?,
    }
    let has = |is: fn(&Entry) -> bool| answer.environments.iter().any(is);
    Ok(if has(|entry| entry.error.is_some()) {
        Exit::Failure
    } else if has(|entry| entry.changes) {
        Exit::Changes
    } else {
        Exit::Success
    })
}

fn write(out: &mut dyn Write, answer: &Answer) -> Result<(), Failure> {
    let mut wave = 0;
    for entry in &answer.environments {
        if entry.wave != wave {
            wave = entry.wave;
            writeln!(out, "Wave {wave}\n")?;
        }
        match (&entry.plan, &entry.error) {
            (_, Some(error)) => writeln!(out, "{}: cannot be planned: {error}", entry.environment)?,
            (Some(plan), None) => render(out, &entry.environment, plan)?,
            (None, None) => writeln!(out, "{}: no plan", entry.environment)?,
        }
        let waits = entry
            .lines
            .iter()
            .filter(|line| line.starts_with("waits: "));
        for line in waits {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(answer))?;
    Ok(())
}

fn summary(answer: &Answer) -> String {
    let all = answer.environments.len();
    let name = &answer.template;
    if all == 0 {
        return format!(
            "No environment in {} follows template {name}.",
            answer.namespace
        );
    }
    let changed: Vec<&Entry> = answer
        .environments
        .iter()
        .filter(|entry| entry.changes)
        .collect();
    let actions = || {
        let plans = changed.iter().filter_map(|entry| entry.plan.as_ref());
        plans.flat_map(|plan| &plan.actions)
    };
    let failed = answer
        .environments
        .iter()
        .filter(|entry| entry.error.is_some())
        .count();
    let mut text = format!(
        "Template {name}: {} of {} changes",
        changed.len(),
        counted(all, "environment")
    );
    if !changed.is_empty() {
        let destroying = match actions().filter(|action| action.destroys).count() {
            0 => "none destroys anything".to_owned(),
            some => format!("{some} of which DESTROYS data or a running service"),
        };
        let mut waves: Vec<usize> = changed.iter().map(|entry| entry.wave).collect();
        waves.dedup();
        text.push_str(&format!(
            ": {}, {destroying}; {} of at most {} at a time",
            counted(actions().count(), "action"),
            counted(waves.len(), "wave"),
            counted(answer.parallel, "environment")
        ));
    }
    if failed > 0 {
        text.push_str(&format!("; {failed} cannot be planned"));
    }
    text.push('.');
    text
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn environments_stand_in_the_order_in_which_the_change_reaches_them() {
        let plan = json!({"hash": "4f1c", "requests": 2, "actions": [{
            "target": "service/web", "verb": "update", "sentence": "set replicas of web from 1 to 2",
            "reason": "SpecChanged", "destroys": false, "deploys": true,
        }]});
        let entry = |name: &str, wave: usize, rest: serde_json::Value| {
            let mut entry = json!({"environment": name, "namespace": "default", "type": "dev", "wave": wave,
                "changes": false});
            for (key, value) in rest.as_object().unwrap() {
                entry[key] = value.clone();
            }
            entry
        };
        let answer: Answer = serde_json::from_value(json!({
            "template": "shop", "namespace": "default", "parallel": 5,
            "environments": [
                entry("dev-1", 1, json!({"changes": true, "plan": plan})),
                entry("dev-2", 1, json!({"plan": {"hash": "", "actions": [], "requests": 0}})),
                entry("live", 3, json!({"error": "spec.templateRef.parameters.host: must be given"})),
            ],
        }))
        .unwrap();
        let mut out = Vec::new();
        write(&mut out, &answer).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        Wave 1

        dev-1:
          ~ set replicas of web from 1 to 2  [SpecChanged]

        1 action, none destroys anything; 2 Railway requests. Plan 4f1c

        dev-2: nothing to do, Railway is as declared.

        Wave 3

        live: cannot be planned: spec.templateRef.parameters.host: must be given

        Template shop: 1 of 3 environments changes: 1 action, none destroys anything; 1 wave of at most 5 environments at a time; 1 cannot be planned.
        ");
    }
}
