//! Which objects the words of a command line mean: `shop`, `environments`, `template/dev`, `secret db cache`.

use crate::cli::kind::{ENVIRONMENT, Kind};

/// One object, or all of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: &'static Kind,
    /// `None` for all.
    pub(crate) name: Option<String>,
}

/// Why words are not targets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// `x/y` where no kind is called `x`.
    #[error(
        "there is no kind {word:?}; kinds are environment, template, gitsync, account, orphan, secret, configmap, event, namespace, lease, crd, role, rolebinding, clusterrole, clusterrolebinding and token"
    )]
    UnknownKind {
        /// What was written.
        word: String,
    },
    /// A slash without something on both of its sides.
    #[error("{word:?} is not KIND/NAME")]
    Malformed {
        /// What was written.
        word: String,
    },
}

/// Reads the words. A first word that names a kind sets the kind of the names behind it; without one they are names of
/// environments. `KIND/NAME` always says both, also for an environment that is called like a kind.
pub(crate) fn parse(words: &[String]) -> Result<Vec<Target>, TargetError> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(Vec::new());
    };
    let (kind, names) = match Kind::called(first) {
        Some(kind) if rest.is_empty() => return Ok(vec![Target { kind, name: None }]),
        Some(kind) => (kind, rest),
        None => (&ENVIRONMENT, words),
    };
    names.iter().map(|word| one(kind, word)).collect()
}

fn one(kind: &'static Kind, word: &str) -> Result<Target, TargetError> {
    let Some((before, name)) = word.split_once('/') else {
        return Ok(Target {
            kind,
            name: Some(word.to_owned()),
        });
    };
    if before.is_empty() || name.is_empty() || name.contains('/') {
        return Err(TargetError::Malformed {
            word: word.to_owned(),
        });
    }
    Ok(Target {
        kind: Kind::called(before).ok_or_else(|| TargetError::UnknownKind {
            word: before.to_owned(),
        })?,
        name: Some(name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Vec<(&'static str, Option<String>)>, TargetError> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Ok(parse(&words)?
            .into_iter()
            .map(|target| (target.kind.kind, target.name))
            .collect())
    }

    #[test]
    fn words_mean_environments_unless_a_kind_is_said() {
        let named = |kind, name: &str| (kind, Some(name.to_owned()));
        for (words, expected) in [
            (&[] as &[&str], vec![]),
            (&["shop"], vec![named("Environment", "shop")]),
            (
                &["shop", "blog"],
                vec![named("Environment", "shop"), named("Environment", "blog")],
            ),
            (&["env"], vec![("Environment", None)]),
            (&["env", "env"], vec![named("Environment", "env")]),
            (&["environment/env"], vec![named("Environment", "env")]),
            (
                &["secret", "db", "cache"],
                vec![named("Secret", "db"), named("Secret", "cache")],
            ),
            (
                &["shop", "template/dev"],
                vec![
                    named("Environment", "shop"),
                    named("EnvironmentTemplate", "dev"),
                ],
            ),
        ] {
            assert_eq!(read(words), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn an_unknown_kind_is_named_with_the_known_ones() {
        let error = read(&["pod/x"]).unwrap_err();
        assert!(error.to_string().contains("no kind \"pod\""), "{error}");
        assert!(matches!(read(&["/x"]), Err(TargetError::Malformed { .. })));
    }
}
