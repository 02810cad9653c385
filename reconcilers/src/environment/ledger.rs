//! Keeping the ledger true: what was intended and has appeared is made, what was removed and has gone is forgotten. Pure.

use jiff::Timestamp;
use mirage_railway::snapshot::{EnvironmentSnapshot, ProjectSnapshot, VolumeSnapshot};
use mirage_specs::ledger::{LedgerEntry, LedgerKind, LedgerState};

use super::{diff::volume_name, effective::Effective, observe::Observed};

/// Writes down that something is about to be made. An entry that is there already keeps its first moment: the thing may
/// have been made by the earlier call.
pub fn intend(ledger: &mut Vec<LedgerEntry>, kind: LedgerKind, name: &str, now: Timestamp) {
    match ledger
        .iter_mut()
        .find(|entry| entry.kind == kind && entry.name == name)
    {
        Some(entry) if entry.state == LedgerState::Intended => {}
        Some(entry) => *entry = intended(kind, name, now),
        None => ledger.push(intended(kind, name, now)),
    }
}

/// Writes down Railway's id of something that was made.
pub fn made(
    ledger: &mut Vec<LedgerEntry>,
    kind: LedgerKind,
    name: &str,
    railway_id: &str,
    now: Timestamp,
) {
    intend(ledger, kind, name, now);
    if let Some(entry) = ledger
        .iter_mut()
        .find(|entry| entry.kind == kind && entry.name == name)
    {
        entry.state = LedgerState::Made;
        entry.railway_id = Some(railway_id.to_owned());
    }
}

/// Strikes an intention whose call is known not to have happened.
pub fn strike(ledger: &mut Vec<LedgerEntry>, kind: LedgerKind, name: &str) {
    ledger.retain(|entry| {
        !(entry.kind == kind && entry.name == name && entry.state == LedgerState::Intended)
    });
}

fn intended(kind: LedgerKind, name: &str, now: Timestamp) -> LedgerEntry {
    LedgerEntry {
        kind,
        name: name.to_owned(),
        state: LedgerState::Intended,
        railway_id: None,
        intended_at: now,
    }
}

/// Balances the ledger against what Railway shows of our environment.
///
/// Entries get the ids of what has appeared, and entries of what is gone go, unless it may merely not be visible yet
/// (the grace time after our own write). An intention that has not shown within the patience for lost answers did not happen.
pub fn balance(
    ledger: &[LedgerEntry],
    effective: &Effective,
    project: &ProjectSnapshot,
    environment: &EnvironmentSnapshot,
    observed: &Observed,
    now: Timestamp,
) -> Vec<LedgerEntry> {
    let mut next = Vec::with_capacity(ledger.len());
    for entry in ledger {
        let seen = match entry.kind {
            LedgerKind::Project => Some(project.id.to_string()),
            LedgerKind::Environment => Some(environment.id.to_string()),
            LedgerKind::Service => environment
                .instance_named(&entry.name)
                .map(|instance| instance.service_id.to_string()),
            LedgerKind::Volume => seen_volume(entry, effective, environment)
                .map(|volume| volume.volume_id.to_string()),
            LedgerKind::Domain => seen_domain(entry, environment),
        };
        let still_open = now.duration_since(entry.intended_at) < observed.patience.lost_answer;
        match seen {
            Some(id) => next.push(LedgerEntry {
                // Accepted and not done, or ignored: what is being removed stays so until it is seen no more.
                state: match entry.state {
                    LedgerState::Removing => LedgerState::Removing,
                    LedgerState::Intended | LedgerState::Made => LedgerState::Made,
                },
                railway_id: Some(id),
                ..entry.clone()
            }),
            None if entry.state == LedgerState::Removing => {}
            None if observed.in_grace || (entry.state == LedgerState::Intended && still_open) => {
                next.push(entry.clone())
            }
            None => {}
        }
    }
    if !next
        .iter()
        .any(|entry| entry.kind == LedgerKind::Environment)
    {
        made(
            &mut next,
            LedgerKind::Environment,
            &effective.environment_name,
            environment.id.as_str(),
            now,
        );
    }
    for (name, desired) in &effective.services {
        let Some(instance) = environment.instance_named(name) else {
            continue;
        };
        let has = |ledger: &[LedgerEntry], kind, name: &str| {
            ledger
                .iter()
                .any(|entry| entry.kind == kind && entry.name == name)
        };
        if !has(&next, LedgerKind::Service, name) {
            made(
                &mut next,
                LedgerKind::Service,
                name,
                instance.service_id.as_str(),
                now,
            );
        }
        for domain in &desired.domains {
            let (known, name) = match &domain.name {
                Some(own) => (
                    instance
                        .custom_domains
                        .iter()
                        .find(|seen| seen.domain == *own),
                    own,
                ),
                None => (instance.service_domains.first(), name),
            };
            if let Some(domain) = known
                && !has(&next, LedgerKind::Domain, name)
            {
                made(&mut next, LedgerKind::Domain, name, domain.id.as_str(), now);
            }
        }
        for key in desired.volumes.keys() {
            let name = volume_name(name, key);
            let mut attached = environment
                .volumes
                .values()
                .filter(|volume| volume.service_id.as_ref() == Some(&instance.service_id));
            // By name; else the only one there is, which may never have got its name.
            let named = attached.clone().find(|volume| volume.name == name);
            let only = attached.next().filter(|_| attached.next().is_none());
            if let Some(volume) = named.or(only.filter(|_| desired.volumes.len() == 1))
                && !has(&next, LedgerKind::Volume, &name)
            {
                made(
                    &mut next,
                    LedgerKind::Volume,
                    &name,
                    volume.volume_id.as_str(),
                    now,
                );
            }
        }
    }
    next
}

/// The volume of an entry: by name, by id, or, while the entry is open, the one that was made and not yet named. Making a
/// volume and naming it are two calls, and a process may die between them.
fn seen_volume<'a>(
    entry: &LedgerEntry,
    effective: &Effective,
    environment: &'a EnvironmentSnapshot,
) -> Option<&'a VolumeSnapshot> {
    let volumes = || environment.volumes.values();
    let known = volumes().find(|volume| {
        volume.name == entry.name || entry.railway_id.as_deref() == Some(volume.volume_id.as_str())
    });
    if known.is_some() || entry.state != LedgerState::Intended || entry.railway_id.is_some() {
        return known;
    }
    let (service, mount_path) = effective.services.iter().find_map(|(service, desired)| {
        let mut volumes = desired.volumes.iter();
        volumes
            .find(|(key, _)| volume_name(service, key) == entry.name)
            .map(|(_, volume)| (service, &volume.mount_path))
    })?;
    let instance = environment.instance_named(service)?;
    volumes().find(|volume| {
        volume.service_id.as_ref() == Some(&instance.service_id)
            && volume.mount_path.as_ref() == Some(mount_path)
    })
}

fn seen_domain(entry: &LedgerEntry, environment: &EnvironmentSnapshot) -> Option<String> {
    let mut domains = environment.instances.values().flat_map(|instance| {
        let generated = instance
            .service_domains
            .iter()
            .map(move |domain| (instance, domain));
        generated.chain(
            instance
                .custom_domains
                .iter()
                .map(move |domain| (instance, domain)),
        )
    });
    domains
        .find(|(instance, domain)| match &entry.railway_id {
            Some(id) => domain.id.as_str() == id,
            None => domain.domain == entry.name || instance.service_name == entry.name,
        })
        .map(|(_, domain)| domain.id.to_string())
}
