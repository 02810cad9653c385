//! Random wishes, and random changes of mind.

use std::collections::BTreeMap;

use mirage_specs::environment::DriftMode;
use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

use super::wish::{Value, Wish, WishService};

/// Names that services have.
pub(super) const SERVICES: [&str; 6] = ["web", "api", "worker", "db", "cache", "cron"];
/// Keys of the Secret `keys`.
pub(super) const KEYS: [&str; 3] = ["token", "password", "license"];
const NAMES: [&str; 5] = ["LEVEL", "URL", "SECRET", "MODE", "SIZE"];

/// A new Environment.
pub(super) fn wish(random: &mut StdRng, name: &str, project: &str) -> Wish {
    let mut wish = Wish {
        name: name.to_owned(),
        project: project.to_owned(),
        railway_name: name.to_owned(),
        services: BTreeMap::new(),
        variables: variables(random, 2),
        suspend: random.random_bool(0.05),
        sequential: random.random_bool(0.2),
        rollback: random.random_bool(0.4),
        drift: if random.random_bool(0.1) {
            DriftMode::Report
        } else {
            DriftMode::Repair
        },
        retain: random.random_bool(0.1),
        ttl_minutes: random.random_bool(0.1).then(|| random.random_range(5..30)),
        is_refused: false,
    };
    for _ in 0..random.random_range(1..=5) {
        add_service(random, &mut wish);
    }
    wish
}

fn variables(random: &mut StdRng, most: usize) -> BTreeMap<String, Value> {
    let count = random.random_range(0..=most);
    (0..count)
        .map(|_| (pick(random, &NAMES).to_owned(), value(random)))
        .collect()
}

fn value(random: &mut StdRng) -> Value {
    match random.random_range(0..10) {
        0..6 => Value::Plain(format!("value-{}", random.random_range(0..5))),
        6..8 => Value::Secret(pick(random, &KEYS).to_owned()),
        _ => Value::Generated,
    }
}

fn pick<'a>(random: &mut StdRng, from: &[&'a str]) -> &'a str {
    from.choose(random).copied().unwrap_or_default()
}

fn add_service(random: &mut StdRng, wish: &mut Wish) {
    let name = pick(random, &SERVICES).to_owned();
    if wish.services.contains_key(&name) {
        return;
    }
    let mut service = WishService {
        image: image(random),
        variables: variables(random, 3),
        replicas: random.random_bool(0.3).then(|| random.random_range(1..=3)),
        start_command: random.random_bool(0.2).then(|| "serve --all".to_owned()),
        healthcheck: random.random_bool(0.2).then_some("/health"),
        domain: random.random_bool(0.3),
        ..WishService::default()
    };
    if random.random_bool(0.1) {
        service = WishService {
            engine: Some("redis"),
            ..WishService::default()
        };
    } else if random.random_bool(0.2) {
        // A service with a volume runs as one replica.
        service.volume = Some("data".to_owned());
        service.replicas = None;
    }
    if service.engine.is_none() && random.random_bool(0.15) {
        service
            .custom_domains
            .push(format!("{name}.{}.example.com", wish.name));
    }
    if service.engine.is_none() && random.random_bool(0.15) {
        service.tcp_proxies.push(5432);
    }
    // Only on those with a smaller name: no circles.
    let earlier: Vec<String> = wish
        .services
        .keys()
        .filter(|other| **other < name)
        .cloned()
        .collect();
    if let Some(other) = earlier.choose(random)
        && service.engine.is_none()
        && random.random_bool(0.3)
    {
        service.depends_on.push(other.clone());
    }
    wish.services.insert(name, service);
}

fn image(random: &mut StdRng) -> String {
    format!("nginx:1.{}", random.random_range(10..20))
}

/// Another version of the same wish; says what changed.
pub(super) fn reconsider(random: &mut StdRng, wish: &mut Wish) -> String {
    let names: Vec<String> = wish.services.keys().cloned().collect();
    let Some(name) = names.choose(random).cloned() else {
        add_service(random, wish);
        return "adds a service".to_owned();
    };
    let change = random.random_range(0..12);
    match change {
        0 => {
            add_service(random, wish);
            return "adds a service".to_owned();
        }
        1 if names.len() > 1 => {
            wish.services.remove(&name);
            for service in wish.services.values_mut() {
                service.depends_on.retain(|other| *other != name);
            }
            return format!("removes service {name}");
        }
        2 => {
            wish.suspend = !wish.suspend;
            return format!("sets suspend to {}", wish.suspend);
        }
        3 => {
            wish.variables = variables(random, 3);
            return "changes the shared variables".to_owned();
        }
        _ => {}
    }
    let Some(service) = wish.services.get_mut(&name) else {
        return String::new();
    };
    if service.engine.is_some() {
        return format!("applies again, with database {name} as it was");
    }
    match change {
        4 | 5 => service.image = image(random),
        6 => {
            service.replicas = if service.volume.is_some() {
                None
            } else {
                Some(random.random_range(1..=3))
            }
        }
        7 => service.domain = !service.domain,
        8 => {
            service.tcp_proxies = if service.tcp_proxies.is_empty() {
                vec![6379]
            } else {
                Vec::new()
            }
        }
        9 if service.custom_domains.is_empty() => {
            service
                .custom_domains
                .push(format!("{name}.{}.example.com", wish.name));
        }
        9 => service.custom_domains.clear(),
        10 if service.volume.is_none() => {
            service.volume = Some("data".to_owned());
            service.replicas = None;
        }
        10 => service.volume = None,
        _ => service.variables = variables(random, 4),
    }
    format!("changes service {name} ({change})")
}
