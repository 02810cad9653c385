//! `mirage env export`

use std::{collections::BTreeMap, io::Write};

use clap::Args;
use kube::Api;
use mirage_specs::{
    Environment, EnvironmentSpec, EnvironmentTemplate, Variable, merge, status::Applied, templates,
};

use super::file;
use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
    },
    exit::Exit,
};

/// Digits of a fingerprint that are shown: enough to see that a value is another one.
const SHOWN: usize = 12;

/// Write an environment's variables as a .env file, without a secret value
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage env export shop > .env                    the shared variables
  mirage env export shop --service web > web.env   those of one service

Plain values are written as they are. What only Railway or a secret store knows is a comment that says where it is:
references, Secrets (with the fingerprint of what was last applied), what is preserved, copied or generated.
`mirage env import` reads the file back and leaves what stands in comments alone.")]
pub(crate) struct Export {
    /// NAME of the environment
    #[arg(value_name = "NAME")]
    environment: String,
    /// The variables of this service instead of the shared ones
    #[arg(short, long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Export {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let api: Api<Environment> =
            Api::namespaced(connection.client.clone(), &connection.namespace);
        let environment = api
            .get(&self.environment)
            .await
            .map_err(|error| connection.failed(error))?;
        let spec = effective(&connection, &environment).await?;
        let applied = environment.status.and_then(|status| status.applied);
        let applied = applied.unwrap_or_default();
        let (variables, fingerprints) = self.place(&spec, &applied)?;
        let place = match &self.service {
            Some(service) => format!("service {service} of {}", self.environment),
            None => format!("shared variables of {}", self.environment),
        };
        write!(
            out,
            "# {place}, as declared\n{}",
            text(variables, fingerprints)
        )?;
        Ok(Exit::Success)
    }

    fn place<'a>(
        &self,
        spec: &'a EnvironmentSpec,
        applied: &'a Applied,
    ) -> Result<(&'a Variables, &'a BTreeMap<String, String>), Failure> {
        let Some(name) = &self.service else {
            return Ok((&spec.variables, &applied.variables));
        };
        let Some(service) = spec.services.get(name).and_then(Option::as_ref) else {
            let services: Vec<&str> = spec.services.keys().map(String::as_str).collect();
            return Err(Failure::Usage(format!(
                "environment {} has no service {name:?}; it has: {}",
                self.environment,
                services.join(", ")
            )));
        };
        let fingerprints = applied.services.get(name);
        let fingerprints = fingerprints.map_or(&applied.variables, |it| &it.variables);
        Ok((&service.variables, fingerprints))
    }
}

type Variables = BTreeMap<String, Option<Variable>>;

/// The spec with its template below it, as the controllers see it.
async fn effective(
    connection: &Connection,
    environment: &Environment,
) -> Result<EnvironmentSpec, Failure> {
    let template = match &environment.spec.template_ref {
        None => None,
        Some(reference) => {
            let api: Api<EnvironmentTemplate> =
                Api::namespaced(connection.client.clone(), &connection.namespace);
            let own = api
                .get_opt(&reference.name)
                .await
                .map_err(|error| connection.failed(error))?;
            let spec = own.map(|template| template.spec).or_else(|| {
                templates::shipped(&reference.name).map(|template| template.spec.clone())
            });
            Some(spec.ok_or_else(|| {
                Failure::Usage(format!(
                    "there is no template {:?}, which the environment refers to",
                    reference.name
                ))
            })?)
        }
    };
    merge::effective(template.as_ref(), &environment.spec)
        .map_err(|error| Failure::Usage(error.to_string()))
}

fn text(variables: &Variables, fingerprints: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, variable) in variables {
        let Some(variable) = variable else { continue };
        text.push_str(&match variable {
            Variable::Plain(value) if value.contains("${{") => {
                // One comment mark a line, or the rest of a long value would be read.
                let value = value.replace('\n', "\n# ");
                format!("# {name}={value}\n")
            }
            Variable::Plain(value) => format!("{}\n", file::line(name, value)),
            Variable::SecretRef(reference) => {
                let place = match &reference.store {
                    Some(store) => format!("secretstore/{store} {}", reference.name),
                    None => format!("secret/{}", reference.name),
                };
                let version = reference.version;
                let version = version.map_or_else(String::new, |it| format!(" version {it}"));
                let fingerprint = match fingerprints.get(name) {
                    Some(print) if print.len() >= SHOWN => {
                        format!(", fingerprint {}", &print[..SHOWN])
                    }
                    _ => ", not applied yet".to_owned(),
                };
                format!(
                    "# {name}: {place} key {}{version}{fingerprint}\n",
                    reference.key
                )
            }
            Variable::Preserve => format!("# {name}: whatever Railway has\n"),
            Variable::CopyFrom(from) => {
                let service = from.service.as_ref();
                let service = service.map_or_else(String::new, |it| format!("service {it}, "));
                format!(
                    "# {name}: copied once from {service}environment {}, variable {}\n",
                    from.environment, from.name
                )
            }
            Variable::Generate(generate) => {
                format!("# {name}: {} characters, made once\n", generate.length)
            }
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_and_secrets_are_only_told_of() {
        let variables: Variables = serde_json::from_value(json!({
            "LEVEL": "info",
            "MOTTO": "it's \"fine\"",
            "DB": "${{postgres.DATABASE_URL}}",
            "KEY": {"secretRef": {"name": "stripe", "key": "api_key"}},
            "SIGN": {"secretRef": {"store": "vault", "name": "a/b", "key": "k", "version": 3}},
            "OLD": {"preserve": true},
            "COPY": {"copyFrom": {"environment": "staging", "service": "web", "name": "X"}},
            "MADE": {"generate": {"length": 32}},
            "GONE": null,
        }))
        .unwrap();
        let prints = BTreeMap::from([("KEY".to_owned(), "0123456789abcdef".repeat(2))]);
        let text = text(&variables, &prints);
        assert_eq!(
            text,
            "\
# COPY: copied once from service web, environment staging, variable X
# DB=${{postgres.DATABASE_URL}}
# KEY: secret/stripe key api_key, fingerprint 0123456789ab
LEVEL=info
# MADE: 32 characters, made once
MOTTO=\"it's \\\"fine\\\"\"
# OLD: whatever Railway has
# SIGN: secretstore/vault a/b key k version 3, not applied yet
"
        );
        let read = file::parse(&text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read["MOTTO"], "it's \"fine\"");
    }
}
