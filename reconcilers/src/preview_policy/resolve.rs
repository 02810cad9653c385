//! Policy, shape and pull request become the spec of an Environment. Pure.
//!
//! The result stands on its own: no template below it, every service written out. So what a fork does not get is not in
//! the object at all, and a change of the template reaches the environment when the policy's reconcile has looked at it
//! and not before.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mirage_github::{ChangedFiles, PullRequest, RepositoryName};
use mirage_specs::{
    EnvironmentSpec, EnvironmentType, PreviewPolicySpec, ServiceSpec, Setting, Variable,
    environment::{Approval, Source, TemplateRef},
    merge::{self, MergeError},
    placeholder::substitute,
};
use serde_json::Value;

use crate::copy::domain::give_up_own_domains;

use super::{
    focus::{Focus, focus, narrow},
    shape::Shape,
};

/// What an open pull request gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The spec of its Environment.
    pub spec: EnvironmentSpec,
    /// Which services are in it and which are not, when the policy is focused.
    pub focus: Option<Focus>,
    /// Variables that a fork does not get, as `service.NAME` or `NAME`.
    pub withheld: Vec<String>,
}

/// What a spec depends on besides policy and shape.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The pull request.
    pub pull: &'a PullRequest,
    /// What the placeholders stand for in it.
    pub values: &'a BTreeMap<&'static str, String>,
    /// The files it changes, when the policy is focused.
    pub changed: Option<&'a ChangedFiles>,
    /// When its environment is to be torn down.
    pub expires_at: Option<Timestamp>,
}

/// The spec for one pull request.
///
/// # Errors
/// When the layers do not come to an environment.
pub fn resolve(
    policy: &PreviewPolicySpec,
    repository: &RepositoryName,
    shape: &Shape,
    subject: Subject<'_>,
) -> Result<Preview, MergeError> {
    let overrides = overrides(policy, subject.values);
    let mut spec = match shape {
        Shape::Template(template) => {
            let reference = policy.from.template.clone().unwrap_or_default();
            let own = EnvironmentSpec {
                environment_type: Some(EnvironmentType::Ephemeral),
                project: policy.project.clone(),
                account_ref: policy.account_ref.clone(),
                template_ref: Some(filled(reference, subject.values)),
                source: (!Shape::names_a_repository(template)).then(|| Source {
                    repo: Setting::Set(policy.repository.clone()),
                    ..Source::default()
                }),
                variables: overrides,
                ..EnvironmentSpec::default()
            };
            merge::effective(Some(template.as_ref()), &own)?
        }
        Shape::Environment(spec) => {
            let mut spec = spec.as_ref().clone();
            for (name, variable) in overrides {
                match variable {
                    Some(variable) => spec.variables.insert(name, Some(variable)),
                    None => spec.variables.remove(&name),
                };
            }
            spec.project = policy.project.clone().or(spec.project);
            spec.account_ref = policy.account_ref.clone().or(spec.account_ref);
            spec
        }
    };
    make_short_lived(&mut spec, subject.expires_at);
    for service in spec.services.values_mut().flatten() {
        follow(service, repository, subject.pull);
        give_up_own_domains(service);
    }
    let mut withheld = Vec::new();
    if subject.pull.is_from_fork_of(repository) {
        withheld = withhold(&mut spec);
    }
    let focus = subject.changed.map(|changed| {
        let focus = focus(&spec, repository, changed);
        narrow(&mut spec, &focus);
        focus
    });
    Ok(Preview {
        spec,
        focus,
        withheld,
    })
}

fn overrides(
    policy: &PreviewPolicySpec,
    values: &BTreeMap<&'static str, String>,
) -> BTreeMap<String, Option<Variable>> {
    policy
        .variables
        .iter()
        .map(|(name, variable)| {
            let variable = variable.as_ref().map(|variable| match variable {
                Variable::Plain(text) => Variable::Plain(substitute(text, values)),
                other => other.clone(),
            });
            (name.clone(), variable)
        })
        .collect()
}

fn filled(mut reference: TemplateRef, values: &BTreeMap<&'static str, String>) -> TemplateRef {
    for value in reference.parameters.values_mut() {
        if let Value::String(text) = value {
            *text = substitute(text, values);
        }
    }
    reference
}

/// What belongs to the environment that a shape was taken from and not to a copy of it: its name, how long it lives, and
/// that people watch over it.
fn make_short_lived(spec: &mut EnvironmentSpec, expires_at: Option<Timestamp>) {
    spec.environment_type = Some(EnvironmentType::Ephemeral);
    spec.name = None;
    spec.template_ref = None;
    // Services have it by now, each its own.
    spec.source = None;
    spec.ttl = Setting::Inherit;
    spec.expires_at = expires_at.map_or(Setting::Inherit, Setting::Set);
    spec.suspend = None;
    spec.deletion = None;
    // Nobody sits there to approve.
    spec.approval = Some(Approval::Automatic);
}

/// A service built from the pull request's repository is built at its latest commit. That of a fork is readable in the
/// repository itself (`refs/pull/NUMBER/head`), so the repository stays.
fn follow(service: &mut ServiceSpec, repository: &RepositoryName, pull: &PullRequest) {
    let Some(source) = &mut service.source else {
        return;
    };
    let is_ours = source
        .repo
        .value()
        .is_some_and(|repo| repo.parse::<RepositoryName>().as_ref() == Ok(repository));
    if is_ours {
        source.branch = Setting::Inherit;
        source.commit = Setting::Set(pull.head.sha.to_string());
    }
}

/// Anybody can open a pull request from a fork, with code that prints its environment.
fn withhold(spec: &mut EnvironmentSpec) -> Vec<String> {
    let is_secret = |variable: &Option<Variable>| {
        matches!(
            variable,
            Some(Variable::SecretRef(_) | Variable::CopyFrom(_))
        )
    };
    let mut withheld = BTreeSet::new();
    let mut take = |of: &str, variables: &mut BTreeMap<String, Option<Variable>>| {
        variables.retain(|name, variable| {
            let takes = is_secret(variable);
            if takes {
                withheld.insert(format!("{of}{name}"));
            }
            !takes
        });
    };
    take("", &mut spec.variables);
    for (name, service) in &mut spec.services {
        if let Some(service) = service {
            take(&format!("{name}."), &mut service.variables);
        }
    }
    withheld.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use mirage_specs::{EnvironmentTemplateSpec, validate};
    use serde_json::json;

    use super::*;
    use crate::preview_policy::{
        fixtures::{at, changed, pull, repository, sha},
        values::values,
    };

    fn template() -> Shape {
        let spec: EnvironmentTemplateSpec = serde_json::from_value(json!({
            "parameters": {"tag": {"type": "string", "default": "x"}},
            "base": {
                "project": {"name": "shop"},
                "ttl": "1d",
                "variables": {"SHARED": {"secretRef": {"name": "s", "key": "k"}}, "LEVEL": "info"},
                "services": {
                    "db": {"engine": "postgres"},
                    "worker": {"source": {"image": "acme/worker:${{params.tag}}"}},
                    "api": {
                        "source": {"rootDirectory": "/api"},
                        "variables": {
                            "DB": "${{db.DATABASE_URL}}",
                            "KEY": {"secretRef": {"name": "s", "key": "k"}},
                            "OLD": {"copyFrom": {"environment": "staging", "service": "api", "name": "OLD"}},
                            "MADE": {"generate": {"length": 32}},
                        },
                        "domains": [{"name": "api.example.com", "port": 8080}],
                    },
                    "lib": {"source": {"repo": "acme/lib", "branch": "main"}},
                },
            },
        }))
        .unwrap();
        Shape::Template(Box::new(spec))
    }

    fn policy() -> PreviewPolicySpec {
        serde_json::from_value(json!({
            "repository": "acme/shop",
            "githubSecretRef": {"name": "github"},
            "from": {"template": {"name": "t", "parameters": {"tag": "{{ pr.shortSha }}"}}},
            "variables": {"URL": "${{api.URL}}/{{ pr.number }}", "LEVEL": null},
        }))
        .unwrap()
    }

    fn resolved(policy: &PreviewPolicySpec, shape: &Shape, pull: &PullRequest) -> Preview {
        let values = values("shop", pull);
        let subject = Subject {
            pull,
            values: &values,
            changed: None,
            expires_at: Some(at(60)),
        };
        resolve(policy, &repository(), shape, subject).unwrap()
    }

    #[test]
    fn a_template_becomes_an_environment_of_its_own_at_the_pull_requests_commit() {
        let preview = resolved(&policy(), &template(), &pull(7));
        let spec = serde_json::to_value(&preview.spec).unwrap();
        assert_eq!(spec["type"], "ephemeral");
        assert_eq!(spec["expiresAt"], json!(at(60)));
        for gone in ["ttl", "templateRef", "name", "source"] {
            assert!(spec[gone].is_null(), "{gone}");
        }
        assert_eq!(
            spec["services"]["api"]["source"],
            json!({"repo": "acme/shop", "rootDirectory": "/api", "commit": sha(1).as_str()})
        );
        assert_eq!(
            spec["services"]["worker"]["source"]["image"],
            format!("acme/worker:{}", sha(1).short())
        );
        assert_eq!(
            spec["services"]["lib"]["source"],
            json!({"repo": "acme/lib", "branch": "main"})
        );
        assert_eq!(spec["services"]["api"]["domains"], json!([{"port": 8080}]));
        assert_eq!(spec["variables"]["URL"], "${{api.URL}}/7");
        assert!(spec["variables"]["LEVEL"].is_null());
        assert_eq!(preview.withheld, [""; 0]);
        let object = json!({"metadata": {"name": "shop-pr-7"}, "spec": spec});
        assert_eq!(validate::environment(&object), []);
    }

    #[test]
    fn a_fork_never_gets_a_value_of_a_secret_or_of_another_environment() {
        let mut fork = pull(7);
        fork.head.repository = None;
        let preview = resolved(&policy(), &template(), &fork);
        assert_eq!(preview.withheld, ["SHARED", "api.KEY", "api.OLD"]);
        let text = serde_json::to_string(&preview.spec).unwrap();
        assert!(
            !text.contains("secretRef") && !text.contains("copyFrom"),
            "{text}"
        );
        assert!(text.contains("generate"));
    }

    #[test]
    fn an_environments_shape_comes_without_what_is_its_own() {
        let spec: EnvironmentSpec = serde_json::from_value(json!({
            "type": "prod", "name": "production", "project": {"name": "shop"}, "deletion": "retain", "approval": "always",
            "ttl": "7d", "suspend": true, "accountRef": {"name": "prod"},
            "services": {"web": {"source": {"repo": "acme/shop", "branch": "main"}, "domains": [{"name": "shop.example.com"}, {}]}},
            "variables": {"A": "1", "LEVEL": "info"},
        }))
        .unwrap();
        let whole = merge::effective(None, &spec).unwrap();
        let mut policy = policy();
        policy.variables.remove("URL");
        policy.account_ref = Some(mirage_specs::environment::LocalRef {
            name: "preview".to_owned(),
        });
        let preview = resolved(&policy, &Shape::Environment(Box::new(whole)), &pull(7));
        assert_eq!(
            serde_json::to_value(&preview.spec).unwrap(),
            json!({
                "type": "ephemeral", "project": {"name": "shop"}, "approval": "automatic", "expiresAt": at(60),
                "accountRef": {"name": "preview"}, "variables": {"A": "1"},
                "services": {"web": {"source": {"repo": "acme/shop", "commit": sha(1).as_str()}, "domains": [{}]}},
            })
        );
    }

    #[test]
    fn a_focused_policy_takes_what_is_touched_and_stays_valid() {
        let (pull, files) = (pull(7), changed(&["api/x"]));
        let values = values("shop", &pull);
        let subject = Subject {
            pull: &pull,
            values: &values,
            changed: Some(&files),
            expires_at: None,
        };
        let preview = resolve(&policy(), &repository(), &template(), subject).unwrap();
        assert_eq!(preview.focus.unwrap().left_out, ["lib", "worker"]);
        let object = json!({"metadata": {"name": "a"}, "spec": preview.spec});
        assert_eq!(validate::environment(&object), []);
    }
}
