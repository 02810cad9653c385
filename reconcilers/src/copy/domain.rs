//! Domains of one's own lead to one environment. Pure.

use mirage_specs::{ServiceSpec, Setting, service::Domain};

/// Gives up the domains of one's own; a generated one takes their place. Returns their names.
pub fn give_up_own_domains(service: &mut ServiceSpec) -> Vec<String> {
    let Setting::Set(domains) = &mut service.domains else {
        return Vec::new();
    };
    let own: Vec<Domain> = domains
        .iter()
        .filter(|domain| domain.name.is_some())
        .cloned()
        .collect();
    domains.retain(|domain| domain.name.is_none());
    if let Some(first) = own.first()
        && domains.is_empty()
    {
        domains.push(Domain {
            name: None,
            port: first.port,
        });
    }
    own.into_iter().filter_map(|domain| domain.name).collect()
}
