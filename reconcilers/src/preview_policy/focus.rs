//! Which services a pull request is about. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mirage_github::{ChangedFiles, RepositoryName};
use mirage_specs::{
    EnvironmentSpec, ServiceSpec, Variable,
    reference::{Reference, references},
};

use super::pattern;

/// Why a service is in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The pull request changes a file of it.
    Touched(String),
    /// A service that is in it needs it.
    NeededBy(String),
}

/// The services of an environment, and those that are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// In the environment, and why.
    pub kept: BTreeMap<String, Why>,
    /// Left out.
    pub left_out: Vec<String>,
}

/// The services that the changed files touch, and what those depend on, by `dependsOn` or by a reference in a variable.
///
/// A service built from another repository, from an image or from an engine is touched by nothing. When GitHub does not
/// show all files, any may have changed, and so every service of the repository is touched.
pub fn focus(spec: &EnvironmentSpec, repository: &RepositoryName, changed: &ChangedFiles) -> Focus {
    let services: BTreeMap<&String, &ServiceSpec> = spec
        .services
        .iter()
        .filter_map(|(name, service)| Some((name, service.as_ref()?)))
        .collect();
    let mut kept: BTreeMap<String, Why> = services
        .iter()
        .filter_map(|(name, service)| {
            let path = touching(service, repository, changed)?;
            Some(((*name).clone(), Why::Touched(path)))
        })
        .collect();
    let mut line: VecDeque<String> = kept.keys().cloned().collect();
    while let Some(name) = line.pop_front() {
        let Some(service) = services.get(&name) else {
            continue;
        };
        for needed in needs(service, spec) {
            if services.contains_key(&needed) && !kept.contains_key(&needed) {
                kept.insert(needed.clone(), Why::NeededBy(name.clone()));
                line.push_back(needed);
            }
        }
    }
    let left_out = services
        .into_keys()
        .filter(|name| !kept.contains_key(*name))
        .cloned()
        .collect();
    Focus { kept, left_out }
}

/// Takes the services that are left out from a spec, and what speaks of them alone.
pub fn narrow(spec: &mut EnvironmentSpec, focus: &Focus) {
    let is_out = |name: &str| focus.left_out.iter().any(|out| out == name);
    spec.services.retain(|name, _| !is_out(name));
    // Every service that uses one of these is left out too, or what it refers to would have been kept.
    spec.variables.retain(|_, variable| {
        !services_in(variable.as_ref())
            .iter()
            .any(|name| is_out(name))
    });
    if let Some(drift) = &mut spec.drift {
        drift.ignore.retain(|path| {
            let mut segments = path.split('.');
            !(segments.next() == Some("services") && segments.next().is_some_and(is_out))
        });
    }
}

fn touching(
    service: &ServiceSpec,
    repository: &RepositoryName,
    changed: &ChangedFiles,
) -> Option<String> {
    let source = service.source.as_ref()?;
    let is_ours = source
        .repo
        .value()
        .is_some_and(|repo| repo.parse::<RepositoryName>().as_ref() == Ok(repository));
    if !is_ours || service.engine.value().is_some() {
        return None;
    }
    if !changed.complete {
        return Some("more files than GitHub shows".to_owned());
    }
    let watched = service
        .build
        .as_ref()
        .and_then(|build| build.watch_patterns.value())
        .filter(|patterns| !patterns.is_empty());
    let root = source
        .root_directory
        .value()
        .map(|root| root.trim_matches('/'))
        .filter(|root| !matches!(*root, "" | "."));
    let touches = |path: &str| match (watched, root) {
        (Some(patterns), _) => pattern::watches(patterns, path),
        (None, Some(root)) => path
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with('/')),
        (None, None) => true,
    };
    changed
        .paths()
        .find(|path| touches(path))
        .map(str::to_owned)
}

/// The services that a service names.
fn needs(service: &ServiceSpec, spec: &EnvironmentSpec) -> BTreeSet<String> {
    let declared = service.depends_on.value().into_iter().flatten().cloned();
    let mut needed: BTreeSet<String> = declared.collect();
    for variable in service.variables.values() {
        needed.extend(services_in(variable.as_ref()));
        // A shared variable may name a service on its behalf.
        for shared in shared_in(variable.as_ref()) {
            needed.extend(services_in(
                spec.variables.get(&shared).and_then(Option::as_ref),
            ));
        }
    }
    needed
}

fn services_in(variable: Option<&Variable>) -> BTreeSet<String> {
    named(variable, |reference| match reference {
        Reference::Service { service, .. } => Some(service),
        Reference::Own(_) | Reference::Shared(_) => None,
    })
}

fn shared_in(variable: Option<&Variable>) -> BTreeSet<String> {
    named(variable, |reference| match reference {
        Reference::Shared(name) => Some(name),
        Reference::Own(_) | Reference::Service { .. } => None,
    })
}

fn named<'a>(
    variable: Option<&'a Variable>,
    pick: impl Fn(Reference<'a>) -> Option<&'a str>,
) -> BTreeSet<String> {
    let Some(Variable::Plain(text)) = variable else {
        return BTreeSet::new();
    };
    references(text)
        .into_iter()
        .filter_map(|reference| pick(reference.ok()?))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::preview_policy::fixtures::{changed, repository};

    fn spec() -> EnvironmentSpec {
        serde_json::from_value(json!({
            "project": {"name": "shop"},
            "services": {
                "db": {"engine": "postgres"},
                "cache": {"source": {"image": "redis"}},
                "api": {
                    "source": {"repo": "acme/shop", "rootDirectory": "/services/api"},
                    "variables": {"DB": "${{db.DATABASE_URL}}", "C": "${{shared.CACHE}}"},
                },
                "web": {
                    "source": {"repo": "Acme/Shop", "rootDirectory": "services/web"},
                    "build": {"watchPatterns": ["/services/web/**", "/packages/**", "!**/*.md"]},
                    "dependsOn": ["api"],
                },
                "docs": {"source": {"repo": "acme/shop", "rootDirectory": "docs/"}},
                "other": {"source": {"repo": "acme/other"}},
            },
            "variables": {"CACHE": "redis://${{cache.HOST}}", "DOCS": "${{docs.URL}}", "PLAIN": "x"},
            "drift": {"ignore": ["services.docs.deploy.replicas", "variables.PLAIN", "services.api"]},
        }))
        .unwrap()
    }

    fn kept(files: &[&str]) -> Vec<String> {
        let focus = focus(&spec(), &repository(), &changed(files));
        focus.kept.into_keys().collect()
    }

    #[test]
    fn what_is_touched_comes_with_what_it_depends_on_and_nothing_else() {
        for (files, services) in [
            (
                &["services/api/src/main.rs"][..],
                &["api", "cache", "db"][..],
            ),
            (&["services/web/a.ts"], &["api", "cache", "db", "web"]),
            (&["packages/ui/b.ts"], &["api", "cache", "db", "web"]),
            (&["services/web/README.md"], &[]),
            (&["docs/a.md"], &["docs"]),
            (&["services/apis/x"], &[]),
            (&["README.md"], &[]),
            (
                &["docs/a.md", "services/api/x"],
                &["api", "cache", "db", "docs"],
            ),
            (&[], &[]),
        ] {
            assert_eq!(kept(files), services, "{files:?}");
        }
    }

    #[test]
    fn a_service_without_a_folder_of_its_own_is_touched_by_every_file() {
        let mut spec = spec();
        spec.services =
            serde_json::from_value(json!({"web": {"source": {"repo": "acme/shop"}}})).unwrap();
        let focus = focus(&spec, &repository(), &changed(&["README.md"]));
        assert_eq!(focus.kept["web"], Why::Touched("README.md".to_owned()));
    }

    #[test]
    fn when_github_does_not_show_all_files_every_service_of_the_repository_is_touched() {
        let files = ChangedFiles {
            complete: false,
            ..changed(&["README.md"])
        };
        let focus = focus(&spec(), &repository(), &files);
        assert_eq!(focus.left_out, ["other"]);
    }

    #[test]
    fn what_speaks_of_a_service_that_is_left_out_goes_with_it() {
        let mut narrowed = spec();
        let focus = focus(&narrowed, &repository(), &changed(&["services/api/x"]));
        narrow(&mut narrowed, &focus);
        assert_eq!(
            narrowed.services.keys().collect::<Vec<_>>(),
            ["api", "cache", "db"]
        );
        assert_eq!(
            narrowed.variables.keys().collect::<Vec<_>>(),
            ["CACHE", "PLAIN"]
        );
        assert_eq!(
            narrowed.drift.unwrap().ignore,
            ["variables.PLAIN", "services.api"]
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_kept_needs_what_is_left_out(
            files in prop::collection::vec("(services/(api|web)|docs|packages)/[a-z]{1,3}", 0..4),
        ) {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            let spec = spec();
            let focus = focus(&spec, &repository(), &changed(&files));
            for name in focus.kept.keys() {
                let service = spec.services[name].as_ref().unwrap();
                for needed in needs(service, &spec) {
                    prop_assert!(focus.kept.contains_key(&needed), "{} needs {}", name, needed);
                }
            }
            prop_assert_eq!(focus.kept.len() + focus.left_out.len(), spec.services.len());
        }
    }
}
