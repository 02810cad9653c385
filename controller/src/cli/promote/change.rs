//! What is promoted, and what stands against it. Pure.

use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

/// What a service runs, as the server says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    pub(super) name: String,
    pub(super) healthy: bool,
    pub(super) message: Option<String>,
    pub(super) image: Option<String>,
    pub(super) repo: Option<String>,
    pub(super) commit: Option<String>,
}

/// A service of the target, and what it is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Promotion {
    service: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Image(String),
    Commit(String),
}

/// What to change, and remarks on what is left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) promotions: Vec<Promotion>,
    pub(super) notes: Vec<String>,
}

/// Decides for one pair of services, or for all that both have. Either everything is promoted or nothing: an environment
/// half of this version and half of that one is nobody's wish.
pub(super) fn decide(
    source: &[Running],
    target: &[Running],
    spec: &Value,
    pair: Option<(&str, &str)>,
) -> Result<Decided, Vec<String>> {
    let mut decided = Decided::default();
    let mut reasons = Vec::new();
    let pairs: Vec<(&str, &str)> = match pair {
        Some(pair) => vec![pair],
        None => source
            .iter()
            .map(|service| (service.name.as_str(), service.name.as_str()))
            .collect(),
    };
    for (from, to) in pairs {
        let declared = &spec["services"][to];
        let there = target.iter().find(|service| service.name == to);
        if pair.is_none() && there.is_none() && declared.is_null() {
            decided
                .notes
                .push(format!("{from} is left: the target has no such service"));
            continue;
        }
        if declared["engine"].is_string() {
            let note = format!("{to} is left: a database is not promoted");
            match pair {
                None => decided.notes.push(note),
                Some(_) => reasons.push(note),
            }
            continue;
        }
        let Some(running) = source.iter().find(|service| service.name == from) else {
            reasons.push(format!("the source has no service {from}"));
            continue;
        };
        match one(running, there, to, spec) {
            Ok(Some(promotion)) => decided.promotions.push(promotion),
            Ok(None) => {}
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() {
        Ok(decided)
    } else {
        Err(reasons)
    }
}

fn one(
    from: &Running,
    there: Option<&Running>,
    to: &str,
    spec: &Value,
) -> Result<Option<Promotion>, String> {
    let name = &from.name;
    if !from.healthy {
        let why = from.message.as_deref().unwrap_or("it is not ready");
        return Err(format!("{name} is not healthy: {why}"));
    }
    let declared = &spec["services"][to];
    if declared.is_null() && there.is_none() {
        return Err(format!("the target has no service {to}"));
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let image =
        text(&declared["source"]["image"]).or_else(|| there.and_then(|there| there.image.clone()));
    let repo = text(&declared["source"]["repo"])
        .or_else(|| there.and_then(|there| there.repo.clone()))
        .or_else(|| text(&spec["source"]["repo"]).filter(|_| image.is_none()));
    let what = match (&from.image, &from.repo, &from.commit) {
        (Some(from), ..) => {
            if let (None, Some(repo)) = (&image, &repo) {
                return Err(format!(
                    "{name} runs an image, and {to} of the target is built from {repo}"
                ));
            }
            if text(&declared["source"]["image"]).as_ref() == Some(from) {
                return Ok(None);
            }
            What::Image(from.clone())
        }
        (None, Some(from), Some(commit)) => {
            match (&repo, &image) {
                (Some(repo), _) if repo == from => {}
                (Some(repo), _) => {
                    return Err(format!(
                        "{name} is built from {from}, and {to} of the target from {repo}"
                    ));
                }
                (None, Some(image)) => {
                    return Err(format!(
                        "{name} is built from {from}, and {to} of the target runs image {image}"
                    ));
                }
                (None, None) => {
                    return Err(format!("the target does not say where {to} comes from"));
                }
            }
            if text(&declared["source"]["commit"]).as_ref() == Some(commit) {
                return Ok(None);
            }
            What::Commit(commit.clone())
        }
        _ => {
            return Err(format!("Railway does not say what {name} was made from"));
        }
    };
    Ok(Some(Promotion {
        service: to.to_owned(),
        what,
    }))
}

impl Promotion {
    /// Writes it into the target's spec.
    pub(super) fn write(&self, spec: &mut Value) {
        let source = &mut spec["services"][&self.service]["source"];
        match &self.what {
            What::Image(image) => source["image"] = json!(image),
            What::Commit(commit) => {
                source["commit"] = json!(commit);
                // Null, and not absent: else a branch would be inherited, and one excludes the other.
                source["branch"] = Value::Null;
            }
        }
    }

    /// What to write into a file.
    pub(super) fn in_git(&self) -> String {
        match &self.what {
            What::Image(image) => {
                format!("spec.services.{}.source.image: {image}", self.service)
            }
            What::Commit(commit) => {
                format!("spec.services.{}.source.commit: {commit}", self.service)
            }
        }
    }
}

impl fmt::Display for Promotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Image(image) => write!(f, "{}: image {image}", self.service),
            What::Commit(commit) => write!(f, "{}: commit {commit}", self.service),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, image: &str) -> Running {
        Running {
            name: name.to_owned(),
            healthy: true,
            image: Some(image.to_owned()),
            ..Running::default()
        }
    }

    fn built(name: &str, repo: &str, commit: &str) -> Running {
        Running {
            name: name.to_owned(),
            healthy: true,
            repo: Some(repo.to_owned()),
            commit: Some(commit.to_owned()),
            ..Running::default()
        }
    }

    #[test]
    fn what_runs_healthily_is_written_into_the_spec() {
        let mut spec = json!({"source": {"repo": "acme/shop", "branch": "main"}, "services": {
            "web": {"source": {"image": "nginx:1"}}, "api": {}, "db": {"engine": "postgres"},
        }});
        let source = [
            image("web", "nginx:2"),
            built("api", "acme/shop", "c0ffee"),
            image("db", "postgres:17"),
            image("extra", "busybox"),
        ];
        let decided = decide(&source, &[], &spec, None).unwrap();
        assert_eq!(decided.notes.len(), 2, "{:?}", decided.notes);
        for promotion in &decided.promotions {
            promotion.write(&mut spec);
        }
        assert_eq!(
            spec["services"]["web"]["source"],
            json!({"image": "nginx:2"})
        );
        assert_eq!(
            spec["services"]["api"]["source"],
            json!({"commit": "c0ffee", "branch": null})
        );
        assert_eq!(decide(&source, &[], &spec, None).unwrap().promotions, []);
    }

    #[test]
    fn one_reason_is_enough_to_promote_nothing() {
        let spec = json!({"services": {
            "web": {"source": {"image": "nginx:1"}}, "api": {"source": {"repo": "acme/shop"}},
        }});
        let sick = Running {
            healthy: false,
            message: Some("its rollout is Halted".to_owned()),
            ..image("web", "nginx:2")
        };
        let unknown = Running {
            image: None,
            ..image("web", "")
        };
        for (source, pair, reason) in [
            (
                vec![sick],
                None,
                "web is not healthy: its rollout is Halted",
            ),
            (vec![unknown], None, "does not say what web was made from"),
            (
                vec![image("api", "nginx:2")],
                None,
                "is built from acme/shop",
            ),
            (
                vec![built("web", "acme/shop", "c0ffee")],
                None,
                "runs image nginx:1",
            ),
            (
                vec![built("api", "acme/other", "c0ffee")],
                None,
                "and api of the target from acme/shop",
            ),
            (
                vec![],
                Some(("web", "web")),
                "the source has no service web",
            ),
            (
                vec![image("web", "nginx:2")],
                Some(("web", "nobody")),
                "the target has no service nobody",
            ),
        ] {
            let reasons = decide(&source, &[], &spec, pair).unwrap_err();
            assert!(
                reasons.iter().any(|one| one.contains(reason)),
                "{reasons:?}"
            );
        }
    }
}
