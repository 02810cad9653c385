//! What wakes a GitSync: itself, and what it brought. How often its repository is asked is its own matter.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture};
use kube::{
    Api, Client, Resource,
    core::PartialObjectMeta,
    runtime::{
        Controller, PredicateConfig, WatchStreamExt as _,
        controller::Config,
        reflector::{self, ObjectRef},
        watcher::{self, Event},
    },
};
use mirage_specs::{Environment, EnvironmentTemplate, GitSync, RailwayAccount};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{mark, on_error, reconcile, syncer::Syncer};

/// GitSyncs worked on at the same time. Each mostly waits for its repository.
const CONCURRENCY: u16 = 8;

/// The controller, until it is told to stop.
pub fn run(syncer: Arc<Syncer>, shutdown: CancellationToken) -> BoxFuture<'static, ()> {
    let client = syncer.context.client.clone();
    let (reader, writer) = reflector::store();
    let watched = reflector::reflector(
        writer,
        watcher::watcher(
            Api::<GitSync>::all(client.clone()),
            watcher::Config::default(),
        ),
    )
    .default_backoff()
    .touched_objects()
    .predicate_filter(
        |sync: &GitSync| what_others_change(sync),
        PredicateConfig::default(),
    );
    Controller::for_stream(watched, reader)
        .with_config(Config::default().concurrency(CONCURRENCY))
        .watches_stream(brought::<Environment>(&client), owner)
        .watches_stream(brought::<EnvironmentTemplate>(&client), owner)
        .watches_stream(brought::<RailwayAccount>(&client), owner)
        .graceful_shutdown_on(shutdown.cancelled_owned())
        .run(reconcile, on_error, syncer)
        .for_each(|_| std::future::ready(()))
        .boxed()
}

/// Everything but the status, which only the reconcile itself writes.
fn what_others_change(object: &impl Resource) -> Option<u64> {
    let metadata = object.meta();
    let mut hasher = DefaultHasher::new();
    (&metadata.uid, metadata.generation, &metadata.annotations).hash(&mut hasher);
    (&metadata.labels, &metadata.finalizers).hash(&mut hasher);
    metadata.deletion_timestamp.is_some().hash(&mut hasher);
    Some(hasher.finish())
}

/// Objects of a kind that some GitSync brought, without what is in them, whenever others changed or deleted them. Not at
/// every change of their status: an environment on its way has one every few seconds.
fn brought<K>(
    client: &Client,
) -> impl Stream<Item = Result<PartialObjectMeta<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Clone + fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    let mut seen: HashMap<(Option<String>, Option<String>), u64> = HashMap::new();
    watcher::watcher(
        Api::<PartialObjectMeta<K>>::all(client.clone()),
        watcher::Config::default().labels(mark::NAME),
    )
    .default_backoff()
    .filter_map(move |event| {
        let news = match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => {
                let hash = what_others_change(&object).unwrap_or_default();
                let is_new = seen.insert(key(&object), hash) != Some(hash);
                is_new.then_some(Ok(object))
            }
            Ok(Event::Delete(object)) => {
                seen.remove(&key(&object));
                Some(Ok(object))
            }
            Ok(Event::Init | Event::InitDone) => None,
            Err(error) => Some(Err(error)),
        };
        std::future::ready(news)
    })
}

fn key(object: &impl Resource) -> (Option<String>, Option<String>) {
    let metadata = object.meta();
    (metadata.namespace.clone(), metadata.name.clone())
}

fn owner<K>(object: PartialObjectMeta<K>) -> Option<ObjectRef<GitSync>>
where
    K: Resource<DynamicType = ()>,
{
    let owner = mark::Owner::of(object.metadata.labels.as_ref()?)?;
    Some(ObjectRef::new(&owner.name).within(&owner.namespace))
}
