//! Two specs for one Railway environment: the older keeps it. Pure.

use mirage_specs::{Environment, ledger::LedgerKind};

/// The other Environment that aims at the same place and was there first, as `namespace/name`.
///
/// Only what the specs say themselves is compared; where a template gives the project, the mark on Railway decides.
pub fn rival<'a>(
    environment: &Environment,
    others: impl IntoIterator<Item = &'a Environment>,
) -> Option<String> {
    let place = place(environment)?;
    others
        .into_iter()
        .filter(|other| {
            other.metadata.uid != environment.metadata.uid
                && self::place(other).as_ref() == Some(&place)
        })
        .filter(|other| is_before(other, environment))
        .map(|other| {
            let namespace = other.metadata.namespace.as_deref().unwrap_or("default");
            format!(
                "{namespace}/{}",
                other.metadata.name.as_deref().unwrap_or_default()
            )
        })
        .min()
}

/// Account, project and Railway name. Accounts of one name in two namespaces count as the same: the `default` one is
/// shared, and a needless refusal is told while two masters of one environment are not.
fn place(environment: &Environment) -> Option<(String, String, String)> {
    let project = environment.spec.project.as_ref()?;
    let project = project.id.clone().or_else(|| project.name.clone())?;
    let account = environment
        .spec
        .account_ref
        .as_ref()
        .map_or("default", |account| account.name.as_str());
    let name = environment
        .spec
        .name
        .clone()
        .or_else(|| environment.metadata.name.clone())?;
    Some((account.to_owned(), project, name))
}

/// Whoever has made the environment keeps it; otherwise the object that was created first, then the smaller uid.
fn is_before(other: &Environment, environment: &Environment) -> bool {
    match (has_made(other), has_made(environment)) {
        (true, false) => true,
        (false, true) => false,
        _ => order(other) < order(environment),
    }
}

fn has_made(environment: &Environment) -> bool {
    let ledger = environment
        .status
        .as_ref()
        .map(|status| status.ledger.as_slice())
        .unwrap_or_default();
    ledger
        .iter()
        .any(|entry| entry.kind == LedgerKind::Environment)
}

fn order(environment: &Environment) -> (Option<jiff::Timestamp>, Option<&str>) {
    let metadata = &environment.metadata;
    (
        metadata.creation_timestamp.as_ref().map(|time| time.0),
        metadata.uid.as_deref(),
    )
}
