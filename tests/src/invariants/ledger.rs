//! The ledger and the inventory add up.

use std::collections::BTreeMap;

use mirage_railway_simulator::Inventory;
use mirage_specs::ledger::{LedgerKind, LedgerState};

use super::{Expectation, settled};
use crate::world::World;

/// Entries without a thing, things without an entry, and entries that are still open.
pub(super) async fn unbalanced(
    world: &World,
    inventory: &Inventory,
    expected: &Expectation<'_>,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    for object in world.environments().await? {
        let name = object.metadata.name.clone().unwrap_or_default();
        let Some(wish) = expected.wishes.iter().find(|wish| wish.name == name) else {
            continue;
        };
        // What is suspended may never have been made.
        if settled::is_refused(&object) || settled::is_waiting(&object) || wish.suspend {
            continue;
        }
        let status = object.status.unwrap_or_default();
        for entry in status
            .ledger
            .iter()
            .filter(|entry| entry.state != LedgerState::Made)
        {
            found.push(format!(
                "{name}: ledger entry {} {} is still {:?}",
                entry.kind, entry.name, entry.state
            ));
        }
        let Some(environment) = inventory.environment(&wish.project, &wish.railway_name) else {
            continue;
        };
        let of = |kind: LedgerKind| -> BTreeMap<&str, &str> {
            let entries = status.ledger.iter().filter(move |entry| entry.kind == kind);
            entries
                .map(|entry| {
                    (
                        entry.name.as_str(),
                        entry.railway_id.as_deref().unwrap_or_default(),
                    )
                })
                .collect()
        };
        let there: BTreeMap<&str, &str> = environment
            .services
            .iter()
            .filter(|instance| wish.services.contains_key(&instance.name))
            .map(|instance| (instance.name.as_str(), instance.service_id.as_str()))
            .collect();
        compare(&name, "services", &of(LedgerKind::Service), &there, found);
        // By id: a kill between a volume's creation and its naming leaves it the name that Railway made up.
        let mut recorded: Vec<&str> = of(LedgerKind::Volume).into_values().collect();
        let mut there: Vec<&str> = environment
            .volumes
            .iter()
            .map(|volume| volume.volume_id.as_str())
            .collect();
        recorded.sort_unstable();
        there.sort_unstable();
        if recorded != there {
            found.push(format!(
                "{name}: the ledger has volumes {recorded:?}, Railway has {there:?}"
            ));
        }
        let recorded = of(LedgerKind::Environment);
        if recorded.values().collect::<Vec<_>>() != [&environment.id.as_str()] {
            found.push(format!(
                "{name}: the ledger has environments {recorded:?}, Railway has {}",
                environment.id
            ));
        }
        let domains: usize = wish
            .services
            .iter()
            // Under `drift: report` a service that somebody deleted stays away, and its domains with it.
            .filter(|(name, _)| {
                environment
                    .services
                    .iter()
                    .any(|there| there.name == **name)
            })
            .map(|(_, service)| usize::from(service.domain) + service.custom_domains.len())
            .sum();
        let recorded = of(LedgerKind::Domain);
        if recorded.len() != domains {
            found.push(format!(
                "{name}: {domains} domains are declared, the ledger has {:?}",
                recorded.keys()
            ));
        }
    }
    Ok(())
}

fn compare(
    name: &str,
    what: &str,
    ledger: &BTreeMap<&str, &str>,
    there: &BTreeMap<&str, &str>,
    found: &mut Vec<String>,
) {
    if ledger != there {
        found.push(format!(
            "{name}: the ledger has {what} {ledger:?}, Railway has {there:?}"
        ));
    }
}
