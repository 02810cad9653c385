//! Copies of an environment: source, Railway and options become a new Environment, and what is worth telling about it.
//!
//! ```text
//! copier.rs      reads: template, Secrets, Railway          the only part that waits for anything
//!    │
//!    ▼
//! selection ─► naming ─► service, variable ─► difference     pure: source + options → Copied
//! ```
//!
//! The copy stands on its own: no template below it, every service written out. A value that only Railway has is not
//! read here but named (`copyFrom`); the copy's own reconcile carries it from Railway to Railway.

pub mod copier;
mod difference;
pub mod domain;
pub mod naming;
mod selection;
mod service;
mod variable;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kube::{Resource as _, ResourceExt as _};
use mirage_railway::{id::ProjectId, snapshot::EnvironmentSnapshot};
use mirage_specs::variable::ValueRef;
use mirage_specs::{
    CopyOptions, Environment, EnvironmentSpec, Setting,
    copy::{
        Ancestor, CLONED_FROM, Copied, CopyFailure, DEFAULT_TIMEOUT_SECONDS, ORIGIN, Obstacle,
        Origin, READY_BY,
    },
    validate,
};
use serde_json::{Value, json};

use naming::Naming;
use variable::Variables;

/// What is copied.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The object.
    pub environment: &'a Environment,
    /// What it comes to with its template.
    pub spec: &'a EnvironmentSpec,
    /// What Railway shows of it.
    pub railway: OnRailway<'a>,
}

/// What Railway shows of a source.
#[derive(Clone, Copy, Debug)]
pub enum OnRailway<'a> {
    /// This, in this project.
    Seen(&'a ProjectId, &'a EnvironmentSnapshot),
    /// It was never made there.
    NeverMade,
    /// It could not be read; why, in words.
    Unread(&'a str),
}

/// What a copy depends on besides its source and the options.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Keys of Secrets that the copy's namespace has, of those that may be referred to.
    pub secrets: &'a BTreeSet<ValueRef>,
    /// Whether the copy is made in the source's own project.
    pub is_same_project: bool,
    /// Services that values on Railway refer to, by service (`None` for shared variables) and name. Only what was read.
    pub mentions: &'a BTreeMap<(Option<String>, String), BTreeSet<String>>,
    /// The time.
    pub now: Timestamp,
}

/// What stands in the way and what is worth knowing, as it is found.
#[derive(Debug, Default)]
struct Remarks {
    refusals: Vec<Obstacle>,
    notes: Vec<String>,
}

impl Remarks {
    fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let found = Obstacle::new(field, message);
        if !self.refusals.contains(&found) {
            self.refusals.push(found);
        }
    }

    fn note(&mut self, words: impl Into<String>) {
        self.notes.push(words.into());
    }
}

/// Works a copy out. What is refused is in the answer, beside everything else.
pub fn copy(source: Source<'_>, options: &CopyOptions, around: Surroundings<'_>) -> Copied {
    let mut remarks = Remarks::default();
    readiness(source, options, &mut remarks);
    let kept = selection::select(source.spec, options, &mut remarks);
    let naming = Naming::of(source.spec, &kept, options);
    let variables = Variables {
        source,
        options,
        around,
        naming: &naming,
    };
    let mut spec = frame(source.spec, options);
    spec.variables = variables.shared(&mut remarks);
    spec.services = source
        .spec
        .services
        .iter()
        .filter_map(|(name, service)| Some((name, naming.name(name)?, service.as_ref()?)))
        .map(|(name, new_name, service)| {
            let own = variables.of_service(name, service, &mut remarks);
            let service = service::copied(name, service, options, &naming, own, &mut remarks);
            (new_name.to_owned(), Some(service))
        })
        .collect();
    follow_drift(&mut spec, &naming, &mut remarks);
    let object = manifest(source.environment, &spec, options, &naming, around.now);
    if remarks.refusals.is_empty() {
        for fault in validate::environment(&object) {
            remarks.refuse(fault.path, fault.message);
        }
    }
    Copied {
        difference: difference::difference(source, &spec, &naming),
        object,
        notes: remarks.notes,
        refusals: remarks.refusals,
    }
}

/// Whether the source is fit to be copied.
fn readiness(source: Source<'_>, options: &CopyOptions, remarks: &mut Remarks) {
    let environment = source.environment;
    let name = environment.name_any();
    if options.name.is_empty() {
        remarks.refuse("name", "give the copy a name");
    }
    if environment.metadata.deletion_timestamp.is_some() {
        remarks.refuse("source", format!("{name} is being deleted"));
        return;
    }
    if let OnRailway::Unread(why) = source.railway {
        let message =
            format!("{name} cannot be read on Railway ({why}), so nobody can say what is in it");
        remarks.refuse("source", message);
    }
    if options.force {
        return;
    }
    let status = environment.status.as_ref();
    let ready = status.and_then(|status| {
        let is_current = status.observed_generation == environment.metadata.generation;
        let mut conditions = status.conditions.iter().filter(move |_| is_current);
        conditions.find(|found| found.type_ == "Ready")
    });
    let why = match ready {
        Some(ready) if ready.status == "True" => return,
        Some(ready) => ready.message.as_str(),
        None => "nothing is known of it as it is declared now",
    };
    remarks.refuse(
        "source",
        format!(
            "{name} is not healthy: {why}; wait until it is, or copy it all the same with force"
        ),
    );
}

/// The spec without services and variables: what belongs to the source and not to a copy of it stays behind.
fn frame(source: &EnvironmentSpec, options: &CopyOptions) -> EnvironmentSpec {
    let mut spec = EnvironmentSpec {
        services: BTreeMap::new(),
        variables: BTreeMap::new(),
        name: None,
        template_ref: None,
        // Who clones what is stopped wants to see it run.
        suspend: None,
        ..source.clone()
    };
    if let Some(project) = &options.project {
        spec.project = Some(project.clone());
    }
    if let Some(chosen) = options.environment_type {
        spec.environment_type = Some(chosen);
    }
    if let Some(ttl) = options.ttl {
        spec.ttl = Setting::Set(ttl);
        spec.expires_at = Setting::Inherit;
    }
    spec
}

/// `drift.ignore` names services, too.
fn follow_drift(spec: &mut EnvironmentSpec, naming: &Naming, remarks: &mut Remarks) {
    let Some(drift) = &mut spec.drift else { return };
    let ignore = std::mem::take(&mut drift.ignore);
    for path in ignore {
        match naming.follow_path(&path) {
            Some(path) => drift.ignore.push(path),
            None => remarks.note(format!(
                "drift.ignore: {path} speaks of a service that is left out"
            )),
        }
    }
}

fn manifest(
    source: &Environment,
    spec: &EnvironmentSpec,
    options: &CopyOptions,
    naming: &Naming,
    now: Timestamp,
) -> Value {
    let uid = source.uid().unwrap_or_default();
    let railway = source
        .status
        .as_ref()
        .and_then(|status| status.railway.as_ref());
    let parent = Ancestor {
        environment_id: uid.clone(),
        railway_environment_id: railway.and_then(|railway| railway.environment_id.clone()),
        namespace: source.namespace().unwrap_or_else(|| "default".to_owned()),
        name: source.name_any(),
    };
    let origin = Origin::of_copy(parent, Origin::of(source.annotations()), naming.renamed());
    let mut annotations = BTreeMap::from([(ORIGIN, origin.written())]);
    if options.on_failure == CopyFailure::Rollback {
        let seconds = options
            .timeout
            .map_or(DEFAULT_TIMEOUT_SECONDS, |timeout| timeout.as_secs());
        let allowed = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let until = now.checked_add(allowed).unwrap_or(Timestamp::MAX);
        let until = crate::environment::condition::whole_seconds(until);
        annotations.insert(READY_BY, until.to_string());
    }
    let namespace = options.namespace.clone().or_else(|| source.namespace());
    json!({
        "apiVersion": Environment::api_version(&()),
        "kind": Environment::kind(&()),
        "metadata": {
            "name": options.name,
            "namespace": namespace,
            "labels": {CLONED_FROM: uid},
            "annotations": annotations,
        },
        "spec": spec,
    })
}
