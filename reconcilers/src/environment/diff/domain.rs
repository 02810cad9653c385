//! Domains. Each call for a generated one makes another, so what is there is looked at first.

use std::collections::BTreeSet;

use mirage_railway::snapshot::DomainSnapshot;
use mirage_specs::{
    ledger::{LedgerKind, LedgerState},
    plan::PlanReason,
};

use super::{Draft, service::Pair};
use crate::environment::{
    applied::GENERATED_DOMAIN,
    effective::DesiredDomain,
    plan::{Action, Hold},
};

impl<'a> Draft<'a> {
    pub(super) fn domains(&mut self, pair: Pair<'a>) {
        for desired in &pair.desired.domains {
            match observed(pair, desired) {
                Some(domain) => self.domain_port(pair, desired, domain),
                None => self.missing_domain(pair, desired),
            }
        }
        for name in self
            .once_ours(pair)
            .iter()
            .filter(|name| !is_declared(pair, name))
        {
            let gone: Vec<(&DomainSnapshot, bool)> = if name == GENERATED_DOMAIN {
                // Only the one that we made; another generated one may be somebody's own.
                let ours = self
                    .memory
                    .entry(LedgerKind::Domain, pair.name)
                    .and_then(|entry| entry.railway_id.as_deref());
                let made = pair
                    .instance
                    .service_domains
                    .iter()
                    .filter(|domain| Some(domain.id.as_str()) == ours);
                made.map(|domain| (domain, false)).collect()
            } else {
                let own = pair
                    .instance
                    .custom_domains
                    .iter()
                    .filter(|domain| domain.domain == *name);
                own.map(|domain| (domain, true)).collect()
            };
            for (domain, custom) in gone {
                if self.observed.in_grace && self.is_being_removed(domain) {
                    let what = format!("that domain {} is gone", domain.domain);
                    self.hold(Hold::AwaitingVisibility { what });
                    continue;
                }
                let service = pair.name.to_owned();
                let action = Action::DeleteDomain {
                    service,
                    domain: domain.domain.clone(),
                    id: domain.id.clone(),
                    custom,
                };
                self.push(action, PlanReason::NoLongerDeclared);
            }
        }
    }

    fn is_being_removed(&self, domain: &DomainSnapshot) -> bool {
        self.memory.ledger.iter().any(|entry| {
            entry.state == LedgerState::Removing
                && entry.railway_id.as_deref() == Some(domain.id.as_str())
        })
    }

    /// Domains that were applied, or that we made or may have made: the answer to a creation may have been lost, and its
    /// declaration have gone since.
    fn once_ours(&self, pair: Pair<'a>) -> BTreeSet<String> {
        let applied = pair
            .applied
            .into_iter()
            .flat_map(|applied| applied.domains.iter().cloned());
        let own = pair
            .instance
            .custom_domains
            .iter()
            .map(|domain| domain.domain.as_str());
        let own: BTreeSet<&str> = own.collect();
        let made = self
            .memory
            .ledger
            .iter()
            .filter_map(|entry| match entry.kind {
                LedgerKind::Domain if entry.name == pair.name => Some(GENERATED_DOMAIN.to_owned()),
                LedgerKind::Domain if own.contains(entry.name.as_str()) => Some(entry.name.clone()),
                _ => None,
            });
        applied.chain(made).collect()
    }

    fn missing_domain(&mut self, pair: Pair<'a>, desired: &DesiredDomain) {
        let ledger_name = desired.name.as_deref().unwrap_or(pair.name);
        if self.may_still_appear(LedgerKind::Domain, ledger_name)
            || self.made_a_moment_ago(LedgerKind::Domain, ledger_name)
        {
            let what = format!("the domain of {}", pair.name);
            self.hold(Hold::AwaitingVisibility { what });
            return;
        }
        let key = desired.name.as_deref().unwrap_or(GENERATED_DOMAIN);
        let known = pair
            .applied
            .is_some_and(|applied| applied.domains.iter().any(|domain| domain == key));
        let (service, name, port) = (pair.name.to_owned(), desired.name.clone(), desired.port);
        // A domain is made after the commit it belongs to; not there yet is not the same as taken away.
        let made = self.memory.entry(LedgerKind::Domain, ledger_name).is_some();
        self.push(
            Action::CreateDomain {
                service,
                name,
                port,
            },
            super::service::changed_or_drifted(known && made),
        );
    }

    fn domain_port(&mut self, pair: Pair<'a>, desired: &DesiredDomain, domain: &DomainSnapshot) {
        let (Some(port), Some(seen)) = (desired.port, domain.target_port) else {
            return;
        };
        if port == seen {
            return;
        }
        let same_generation = self.memory.applied.generation == Some(self.effective.generation);
        let action = Action::ChangeDomainPort {
            service: pair.name.to_owned(),
            domain: domain.domain.clone(),
            custom: desired.name.is_some(),
            port,
        };
        self.push(action, super::service::changed_or_drifted(same_generation));
    }
}

fn observed<'a>(pair: Pair<'a>, desired: &DesiredDomain) -> Option<&'a DomainSnapshot> {
    match &desired.name {
        None => pair.instance.service_domains.first(),
        Some(name) => pair
            .instance
            .custom_domains
            .iter()
            .find(|domain| domain.domain.eq_ignore_ascii_case(name)),
    }
}

fn is_declared(pair: Pair<'_>, name: &str) -> bool {
    pair.desired
        .domains
        .iter()
        .any(|domain| domain.name.as_deref().unwrap_or(GENERATED_DOMAIN) == name)
}
