//! What every reconcile of this process shares.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{
    Api, Client, Resource,
    runtime::{
        events::{Event, EventType, Recorder, Reporter},
        reflector::Store,
    },
};
use mirage_railway::{client::Clock, secret::FingerprintKey};
use mirage_specs::Environment;
use mirage_vault::Vault;
use sha2::{Digest, Sha256};

use crate::{
    accounts::Accounts,
    environment::{patience::Patience, references::References, uses::Uses},
    metrics::Metrics,
};

/// How long things wait.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    /// Between looks at something that changes by itself.
    pub active: Duration,
    /// Between looks at something that rests.
    pub idle: Duration,
    /// How long Railway's reads may lag behind our writes.
    pub grace: Duration,
    /// Until the look after something was done.
    pub soon: Duration,
    /// Until a settled object is visited again without a reason.
    pub resync: Duration,
    /// How long things may take before they count as not happening.
    pub patience: Patience,
}

impl Default for Intervals {
    /// Fit for Railway's limits: one look a minute costs 60 requests of a Hobby plan's 1,000 an hour.
    fn default() -> Self {
        Self {
            active: Duration::from_secs(5),
            idle: Duration::from_secs(60),
            grace: Duration::from_secs(30),
            soon: Duration::from_secs(2),
            resync: Duration::from_secs(600),
            patience: Patience::default(),
        }
    }
}

/// What every reconcile shares.
pub struct Context {
    /// The API server, like any other client sees it.
    pub client: Client,
    /// Credentials for Railway.
    pub accounts: Arc<Accounts>,
    /// Key of fingerprints.
    pub key: FingerprintKey,
    /// The time.
    pub clock: Clock,
    /// How long things wait.
    pub intervals: Intervals,
    /// Counters.
    pub metrics: Metrics,
    /// All environments as last seen, to notice two that aim at the same place.
    pub environments: Store<Environment>,
    /// The way to secrets outside of Mirage.
    pub vault: Arc<dyn Vault>,
    /// Which Environments take values from where.
    pub references: Arc<References>,
    /// Who was given a secret value.
    pub uses: Uses,
    pub(crate) recorder: Recorder,
}

impl Context {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Environments of a namespace.
    pub fn api(&self, namespace: &str) -> Api<Environment> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Tells a part of the story as an Event on the object. An event that cannot be written is not worth a retry.
    pub async fn tell<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        severity: EventType,
        reason: &str,
        note: String,
    ) {
        let event = Event {
            type_: severity,
            reason: reason.to_owned(),
            // The recorder counts events of one reason and action up under the first one's note: another note is another
            // action, or the story would repeat its first sentence.
            action: format!("Reconcile-{}", digest(&note)),
            secondary: None,
            note: Some(shortened(note.clone())),
        };
        let (kind, name) = (
            K::kind(&()),
            object.meta().name.as_deref().unwrap_or_default(),
        );
        tracing::info!(%kind, %name, %reason, "{name}: {note}");
        if let Err(error) = self.recorder.publish(&event, &object.object_ref(&())).await {
            tracing::debug!(%error, "an event could not be written");
        }
    }
}

fn digest(note: &str) -> String {
    hex::encode(&Sha256::digest(note.as_bytes())[..4])
}

/// Events are refused over 1 KiB.
fn shortened(mut note: String) -> String {
    const LIMIT: usize = 1000;
    if note.len() > LIMIT {
        let end = (0..=LIMIT)
            .rev()
            .find(|index| note.is_char_boundary(*index))
            .unwrap_or(0);
        note.truncate(end);
        note.push('…');
    }
    note
}

pub(crate) fn recorder(client: Client, instance: &str) -> Recorder {
    Recorder::new(
        client,
        Reporter {
            controller: "mirage".to_owned(),
            instance: Some(instance.to_owned()),
        },
    )
}
