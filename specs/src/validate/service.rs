//! One service: where its code comes from, how it runs, what belongs to it.

use std::collections::BTreeSet;

use crate::{
    cron::check_cron,
    image::check_image,
    quantity::parse_bytes,
    validate::{Faults, node::Node, source},
};

/// Most replicas of a service on any of Railway's plans (Railway docs: scaling).
const REPLICA_LIMIT: u64 = 50;

/// Railway counts volumes in megabytes (schema: sizeMB).
const MEBIBYTE: u64 = 1 << 20;

/// The service at `service`. `complete` says that nothing more will be merged into it; `inherited` that the environment
/// has a repository for services without a source of their own.
pub(super) fn check(service: &Node<'_>, complete: bool, inherited: bool, faults: &mut Faults) {
    check_source(service, complete, inherited, faults);
    check_deploy(service, faults);
    check_ports(service, faults);
    check_volumes(service, complete, faults);
}

fn check_source(service: &Node<'_>, complete: bool, inherited: bool, faults: &mut Faults) {
    let source = service.at("source");
    let (image, repo) = (source.at("image"), source.at("repo"));
    let (engine, version) = (service.at("engine"), service.at("version"));

    if let Some(Err(error)) = image.text().map(check_image) {
        faults.invalid(&image.path, error.to_string());
    }
    source::check(&source, faults);
    for key in ["repo", "branch", "commit", "rootDirectory"] {
        let at = source.at(key);
        if at.is_given() && image.is_given() {
            faults.forbidden(
                &at.path,
                "not together with image; if it comes from a template, remove it with null",
            );
        } else if at.is_given() && engine.is_given() {
            faults.forbidden(
                &at.path,
                "a database is not built from a repository; leave out engine or this",
            );
        }
    }
    if version.is_given() && image.is_given() {
        faults.forbidden(&version.path, "the image already says its version");
    }
    if let Some(text) = version.text()
        && !(text.starts_with(|c: char| c.is_ascii_digit())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')))
    {
        faults.invalid(
            &version.path,
            "write the engine's version, for example \"17\"",
        );
    }
    if !complete {
        return;
    }
    if version.is_given() && !engine.is_given() {
        faults.forbidden(
            &version.path,
            "a version belongs to an engine; an image has its version in the tag",
        );
    }
    if !image.is_given() && !repo.is_given() && !engine.is_given() && !inherited {
        faults.required(
            &source.path,
            "give an image, a repo or an engine, or a repo for all services in spec.source",
        );
    }
}

fn check_deploy(service: &Node<'_>, faults: &mut Faults) {
    let deploy = service.at("deploy");
    let (replicas, regions, cron) = (
        deploy.at("replicas"),
        deploy.at("regions"),
        deploy.at("cron"),
    );

    let mut total = replicas.number().unwrap_or(0);
    if total > REPLICA_LIMIT {
        faults.invalid(
            &replicas.path,
            format!("Railway runs at most {REPLICA_LIMIT} replicas"),
        );
    }
    let by_region = regions.entries();
    if replicas.is_given() && !by_region.is_empty() {
        faults.forbidden(
            &replicas.path,
            "either replicas or regions: each region has its own number",
        );
    }
    if !by_region.is_empty() {
        total = by_region
            .iter()
            .filter_map(|(_, region)| region.number())
            .sum();
        if total > REPLICA_LIMIT {
            faults.invalid(
                &regions.path,
                format!("{total} replicas in all; Railway runs at most {REPLICA_LIMIT}"),
            );
        }
    }
    for (region, entry) in &by_region {
        check_region(region, entry, faults);
    }
    if let Some(text) = cron.text() {
        if let Err(error) = check_cron(text) {
            faults.invalid(&cron.path, error.to_string());
        }
        if total > 1 {
            faults.forbidden(&cron.path, "a cron service runs as one replica");
        }
    }
    // A database gets a volume even where none is written.
    let has_volume = service.at("engine").is_given() || !service.at("volumes").entries().is_empty();
    if total > 1 && has_volume {
        let at = if replicas.is_given() {
            &replicas.path
        } else {
            &regions.path
        };
        faults.forbidden(at, "Railway runs a service with a volume as one replica");
    }
    let path = deploy.at("healthcheck").at("path");
    if path.text().is_some_and(|text| !text.starts_with('/')) {
        faults.invalid(&path.path, "a path starts with '/'");
    }
    let (cpu, memory) = (
        deploy.at("limits").at("cpu"),
        deploy.at("limits").at("memory"),
    );
    if cpu.value.as_f64().is_some_and(|cpu| cpu <= 0.0) {
        faults.invalid(&cpu.path, "must be above 0");
    }
    check_size(&memory, faults);
}

fn check_ports(service: &Node<'_>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for port in service.at("tcpProxies").items() {
        match port.number() {
            Some(0) => faults.invalid(&port.path, "a port is between 1 and 65535"),
            Some(number) if !seen.insert(number) => {
                faults.duplicate(&port.path, format!("port {number} is named twice"));
            }
            _ => {}
        }
    }
}

fn check_volumes(service: &Node<'_>, complete: bool, faults: &mut Faults) {
    let has_engine = service.at("engine").is_given();
    for (position, (name, volume)) in service.at("volumes").entries().into_iter().enumerate() {
        if position > 0 {
            faults.forbidden(
                &volume.path,
                "Railway attaches at most one volume to a service",
            );
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            faults.invalid(
                &volume.path,
                "the name of a volume is 1 to 64 letters, digits, '-' and '_'",
            );
        }
        let mount = volume.at("mountPath");
        match mount.text() {
            Some(text) if !text.starts_with('/') || text == "/" => {
                faults.invalid(
                    &mount.path,
                    "an absolute path below '/', for example \"/data\"",
                );
            }
            // An engine knows where its data belongs.
            None if complete && !has_engine && !mount.is_given() => {
                faults.required(
                    &mount.path,
                    "where the volume is mounted, for example \"/data\"",
                );
            }
            _ => {}
        }
        let size = volume.at("size");
        check_size(&size, faults);
        if size
            .text()
            .and_then(|text| parse_bytes(text).ok())
            .is_some_and(|bytes| bytes % MEBIBYTE != 0)
        {
            faults.invalid(&size.path, "the size of a volume is in whole Mi");
        }
        if let Some(region) = volume.at("region").text() {
            check_region(region, &volume.at("region"), faults);
        }
        let mut seen = BTreeSet::new();
        for schedule in volume.at("backups").items() {
            if schedule.text().is_some_and(|text| !seen.insert(text)) {
                faults.duplicate(&schedule.path, "named twice");
            }
        }
    }
}

fn check_size(size: &Node<'_>, faults: &mut Faults) {
    if let Some(Err(error)) = size.text().map(parse_bytes) {
        faults.invalid(&size.path, error.to_string());
    }
}

/// Railway's regions come and go, so only the form is checked.
fn check_region(text: &str, at: &Node<'_>, faults: &mut Faults) {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.is_empty() || !text.bytes().all(allowed) {
        faults.invalid(
            &at.path,
            "not a region id such as \"us-west2\" or \"europe-west4-drams3a\"",
        );
    }
}
