//! What services are called in a copy, and texts that speak of them. Pure.
//!
//! A text speaks of a service by reference (`${{web.URL}}`) or by its private host (`web.railway.internal`, Railway docs:
//! private networking).

use std::collections::{BTreeMap, BTreeSet};

use mirage_specs::{CopyOptions, EnvironmentSpec};

/// The end of a private host.
const PRIVATE: &str = ".railway.internal";

/// Scopes of references that are no services.
const NOT_SERVICES: [&str; 3] = ["", "shared", "params"];

/// Names in the source, each with its name in the copy; `None` for what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming(BTreeMap<String, Option<String>>);

/// A text as it reads in the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The text.
    pub text: String,
    /// Services that it speaks of and that are left out.
    pub left_out: BTreeSet<String>,
    /// Services that it refers to and that the source does not declare.
    pub strangers: BTreeSet<String>,
}

impl Naming {
    /// That of a copy of `spec` with these services.
    pub(super) fn of(
        spec: &EnvironmentSpec,
        kept: &BTreeSet<String>,
        options: &CopyOptions,
    ) -> Self {
        let prefix = options.prefix.as_deref().unwrap_or_default();
        let suffix = options.suffix.as_deref().unwrap_or_default();
        let services = spec
            .services
            .iter()
            .filter(|(_, service)| service.is_some());
        Self(
            services
                .map(|(name, _)| {
                    let new = kept
                        .contains(name)
                        .then(|| format!("{prefix}{name}{suffix}"));
                    (name.clone(), new)
                })
                .collect(),
        )
    }

    /// That of a copy as it stands: its services, and those of them that had another name in its source.
    pub fn of_copy<'a>(
        services: impl IntoIterator<Item = &'a str>,
        renamed: &BTreeMap<String, String>,
    ) -> Self {
        let services: BTreeSet<&str> = services.into_iter().collect();
        let mut names: BTreeMap<String, Option<String>> = services
            .iter()
            .map(|name| ((*name).to_owned(), Some((*name).to_owned())))
            .collect();
        for (old, new) in renamed {
            // One that has left the copy since is not there to be referred to.
            let new = services.contains(new.as_str()).then(|| new.clone());
            names.insert(old.clone(), new);
        }
        Self(names)
    }

    /// The name in the copy; `None` for what is left out or was never there.
    pub fn name(&self, service: &str) -> Option<&str> {
        self.0.get(service)?.as_deref()
    }

    /// Services that have another name in the copy.
    pub(super) fn renamed(&self) -> BTreeMap<String, String> {
        let pairs = self
            .0
            .iter()
            .filter_map(|(old, new)| Some((old, new.as_ref()?)));
        pairs
            .filter(|(old, new)| old != new)
            .map(|(old, new)| (old.clone(), new.clone()))
            .collect()
    }

    /// Services that are left out.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &str> {
        let left_out = self.0.iter().filter(|(_, new)| new.is_none());
        left_out.map(|(old, _)| old.as_str())
    }

    /// A path of `drift.ignore` in the copy's names; `None` when it speaks of a service that is left out.
    pub(super) fn follow_path(&self, path: &str) -> Option<String> {
        let Some(rest) = path.strip_prefix("services.") else {
            return Some(path.to_owned());
        };
        let (service, below) = rest
            .split_once('.')
            .map_or((rest, None), |(service, below)| (service, Some(below)));
        let new = match self.0.get(service) {
            None => service,
            Some(new) => new.as_deref()?,
        };
        Some(match below {
            Some(below) => format!("services.{new}.{below}"),
            None => format!("services.{new}"),
        })
    }

    /// A text with every service that it speaks of under its name in the copy.
    pub fn follow(&self, text: &str) -> Followed {
        let mut followed = Followed::default();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => followed.text.push_str(text),
                Piece::Reference(scope) => match self.of_scope(scope.trim()) {
                    Some(Some(new)) => {
                        followed
                            .text
                            .push_str(&scope.replacen(scope.trim(), new, 1))
                    }
                    Some(None) => {
                        followed.left_out.insert(scope.trim().to_owned());
                        followed.text.push_str(scope);
                    }
                    None => {
                        followed.strangers.insert(scope.trim().to_owned());
                        followed.text.push_str(scope);
                    }
                },
                Piece::Host(label) => match self.of_host(label) {
                    Some((_, Some(new))) => followed.text.push_str(&host_label(new)),
                    Some((old, None)) => {
                        followed.left_out.insert(old.to_owned());
                        followed.text.push_str(label);
                    }
                    None => followed.text.push_str(label),
                },
            }
        }
        followed
    }

    /// Railway compares names without case.
    fn of_scope(&self, scope: &str) -> Option<Option<&str>> {
        let exact = self.0.get(scope);
        let found = exact.or_else(|| {
            let mut names = self.0.iter();
            names
                .find(|(name, _)| name.eq_ignore_ascii_case(scope))
                .map(|(_, new)| new)
        });
        found.map(Option::as_deref)
    }

    fn of_host(&self, label: &str) -> Option<(&str, Option<&str>)> {
        let label = label.to_ascii_lowercase();
        let mut names = self.0.iter();
        names
            .find(|(name, _)| host_label(name) == label)
            .map(|(name, new)| (name.as_str(), new.as_deref()))
    }
}

/// Services that a text speaks of, as it calls them: by name or by the first part of their private host.
pub(super) fn mentions(text: &str) -> BTreeSet<String> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Reference(scope) => Some(scope.trim().to_owned()),
            Piece::Host(label) => Some(label.to_owned()),
        })
        .collect()
}

/// Whether `mentioned` is how a text speaks of `service`.
pub(super) fn is_mention_of(mentioned: &str, service: &str) -> bool {
    mentioned.eq_ignore_ascii_case(service) || mentioned.eq_ignore_ascii_case(&host_label(service))
}

/// A piece of a text.
enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// The service of a reference, with the space around it.
    Reference(&'a str),
    /// The first part of a private host.
    Host(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find("${{") {
        let (before, body) = rest.split_at(open + 3);
        let Some(close) = body.find("}}") else { break };
        hosts(before, &mut found);
        match body[..close].rsplit_once('.') {
            Some((scope, _)) if !NOT_SERVICES.contains(&scope.trim()) => {
                found.push(Piece::Reference(scope));
                found.push(Piece::Text(&body[scope.len()..close + 2]));
            }
            _ => found.push(Piece::Text(&body[..close + 2])),
        }
        rest = &body[close + 2..];
    }
    hosts(rest, &mut found);
    found
}

fn hosts<'a>(text: &'a str, found: &mut Vec<Piece<'a>>) {
    let mut rest = text;
    while let Some(at) = rest.find(PRIVATE) {
        let start = rest[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .map_or(0, |before| {
                before + rest[before..].chars().next().map_or(1, char::len_utf8)
            });
        found.push(Piece::Text(&rest[..start]));
        if start < at {
            found.push(Piece::Host(&rest[start..at]));
        }
        found.push(Piece::Text(PRIVATE));
        rest = &rest[at + PRIVATE.len()..];
    }
    found.push(Piece::Text(rest));
}

/// A service's name as it stands in its private host: lower case, other characters as `-`.
fn host_label(service: &str) -> String {
    let label: String = service
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    label.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naming() -> Naming {
        Naming(BTreeMap::from([
            ("web".to_owned(), Some("pr-web".to_owned())),
            ("my db".to_owned(), Some("pr-my db".to_owned())),
            ("cache".to_owned(), None),
        ]))
    }

    #[test]
    fn references_and_private_hosts_follow() {
        for (text, result) in [
            ("${{web.URL}}", "${{pr-web.URL}}"),
            ("${{ Web.URL }}", "${{ pr-web.URL }}"),
            (
                "a${{my db.X}}b${{web.Y}}c",
                "a${{pr-my db.X}}b${{pr-web.Y}}c",
            ),
            (
                "${{shared.web}} ${{WEB}} ${{params.x}}",
                "${{shared.web}} ${{WEB}} ${{params.x}}",
            ),
            (
                "http://web.railway.internal:80/x",
                "http://pr-web.railway.internal:80/x",
            ),
            (
                "my-db.railway.internal,web.railway.internal",
                "pr-my-db.railway.internal,pr-web.railway.internal",
            ),
            ("myweb.railway.internal", "myweb.railway.internal"),
            (
                "${{web.H}}.railway.internal",
                "${{pr-web.H}}.railway.internal",
            ),
            ("web ${{web", "web ${{web"),
            ("ü.web.railway.internal", "ü.pr-web.railway.internal"),
            ("", ""),
        ] {
            let followed = naming().follow(text);
            assert_eq!(followed.text, result, "{text}");
            assert!(followed.left_out.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_left_out_and_what_was_never_there_are_named() {
        let followed = naming().follow("${{cache.URL}} cache.railway.internal ${{hand.X}}");
        assert_eq!(followed.left_out, BTreeSet::from(["cache".to_owned()]));
        assert_eq!(followed.strangers, BTreeSet::from(["hand".to_owned()]));
        assert_eq!(
            mentions("${{ my db.X }} cache.railway.internal"),
            BTreeSet::from(["my db".to_owned(), "cache".to_owned()])
        );
    }

    #[test]
    fn paths_of_drift_follow() {
        for (path, result) in [
            (
                "services.web.deploy.replicas",
                Some("services.pr-web.deploy.replicas"),
            ),
            ("services.web", Some("services.pr-web")),
            ("variables.LEVEL", Some("variables.LEVEL")),
            ("services.cache.variables.X", None),
        ] {
            assert_eq!(naming().follow_path(path).as_deref(), result, "{path}");
        }
    }

    #[test]
    fn a_copy_knows_the_names_that_its_values_use() {
        let renamed = BTreeMap::from([("web".to_owned(), "pr-web".to_owned())]);
        let naming = Naming::of_copy(["pr-web", "db"], &renamed);
        let followed = naming.follow("${{web.A}}${{db.B}}${{pr-web.C}}${{gone.D}}");
        assert_eq!(
            followed.text,
            "${{pr-web.A}}${{db.B}}${{pr-web.C}}${{gone.D}}"
        );
        assert_eq!(followed.strangers, BTreeSet::from(["gone".to_owned()]));
    }

    proptest! {
        #[test]
        fn a_copy_without_new_names_leaves_every_text_as_it_is(text in "[a-z${}. :/-]{0,40}(\\$\\{\\{[a-z ]{1,6}\\.[A-Z]{1,3}\\}\\})?(web\\.railway\\.internal)?") {
            let naming = Naming::of_copy(["web", "db"], &BTreeMap::new());
            prop_assert_eq!(naming.follow(&text).text, text);
        }
    }
}
