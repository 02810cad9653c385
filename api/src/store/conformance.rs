//! What every store must do, as one suite: `conformance::suite!(open)` in a backend's tests runs each case on a fresh
//! store. `open` is an async closure that gives the store and whatever must live as long as it (a temporary folder), or
//! `None` when this machine has no such database; it says so itself, loudly.

mod audit;
mod lists;
mod log;
mod protocol;
mod writes;

pub(crate) use audit::*;
pub(crate) use lists::*;
pub(crate) use log::*;
pub(crate) use protocol::*;
pub(crate) use writes::*;

use serde_json::{Value, json};

use super::{Change, Effect, Expect, Key, ListQuery, Rewrite, Stands, Store, StoreError, Write};

macro_rules! suite {
    ($open:expr) => {
        $crate::store::conformance::suite! { @cases $open;
            an_object_comes_back_as_it_was_put,
            an_update_needs_the_revision_that_it_read,
            a_second_create_is_refused,
            what_is_not_there_can_neither_change_nor_go,
            a_deleted_object_can_be_created_again,
            a_refused_write_uses_up_no_revision_and_leaves_no_change,
            every_json_value_survives,
            many_writers_of_many_objects_get_rising_revisions_without_a_gap,
            many_writers_of_one_object_lose_no_update,
            an_empty_store_has_a_revision_that_is_not_zero,
            lists_are_ordered_by_namespace_and_name,
            lists_keep_to_their_resource_and_namespace,
            pages_cover_the_list_once,
            a_page_may_begin_behind_a_name_that_is_gone,
            what_cannot_be_a_name_is_nothing_and_has_a_place_in_the_order,
            a_list_carries_the_newest_revision_of_the_whole_store,
            changes_come_in_order_with_what_was_before,
            a_deletion_carries_its_own_revision_and_the_last_state,
            changes_keep_to_their_resource_and_namespace,
            a_limited_read_of_the_log_goes_on_where_it_stopped,
            reading_past_the_newest_revision_gives_nothing,
            compacted_changes_are_refused_and_later_ones_kept,
            compaction_never_goes_back_and_never_forgets_the_future,
            compaction_leaves_objects_alone,
            the_log_is_every_resources_changes_in_one_order,
            another_text_stands_where_the_old_one_did_and_nobody_hears_of_it,
            an_answered_write_is_announced,
            a_watcher_that_sleeps_between_wake_ups_misses_nothing,
            a_watch_from_before_compaction_is_told_so,
            a_list_at_an_exact_version_is_as_it_was_then,
            a_page_behind_compaction_can_be_had_inconsistently,
            a_write_and_its_record_are_one_and_a_refused_write_has_none,
            what_writes_nothing_is_recorded_without_a_revision,
            many_writers_leave_records_in_the_order_of_their_writes,
            the_audit_log_is_read_in_pages_from_either_end,
            the_audit_log_is_narrowed_by_each_thing_it_is_searched_by,
            what_no_index_can_hold_is_cut_and_the_record_keeps_it,
        }
    };
    (@cases $open:expr; $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let Some((store, _guard)) = ($open)().await else {
                    return;
                };
                $crate::store::conformance::$case(std::sync::Arc::new(store)).await;
            }
        )*
    };
}
pub(crate) use suite;

const ENVIRONMENTS: &str = "environments.mirage.dev";

fn environment(namespace: &str, name: &str) -> Key {
    Key::new(ENVIRONMENTS, namespace, name)
}

/// A document that is told apart by `mark`.
fn marked(mark: impl Into<Value>) -> Value {
    json!({"metadata": {"labels": {"mark": mark.into()}}})
}

async fn create(store: &dyn Store, key: &Key, object: Value) -> Result<u64, StoreError> {
    write(store, key, Expect::Absent, Effect::put(object)).await
}

async fn update(store: &dyn Store, key: &Key, at: u64, object: Value) -> Result<u64, StoreError> {
    write(store, key, Expect::Revision(at), Effect::put(object)).await
}

async fn delete(store: &dyn Store, key: &Key, at: u64, last: Value) -> Result<u64, StoreError> {
    write(store, key, Expect::Revision(at), Effect::delete(last)).await
}

async fn write(
    store: &dyn Store,
    key: &Key,
    expect: Expect,
    effect: Effect,
) -> Result<u64, StoreError> {
    store
        .write(Write {
            key: key.clone(),
            expect,
            effect,
        })
        .await
}

async fn newest(store: &dyn Store) -> u64 {
    store.list(&everything()).await.unwrap().revision
}

fn everything() -> ListQuery {
    ListQuery {
        resource: ENVIRONMENTS.to_owned(),
        namespace: None,
        after: None,
        limit: None,
    }
}

async fn changes_after(store: &dyn Store, after: u64) -> Vec<Change> {
    store
        .changes(ENVIRONMENTS, None, after, usize::MAX)
        .await
        .unwrap()
        .0
}

fn names(keys: impl IntoIterator<Item = Key>) -> Vec<String> {
    keys.into_iter()
        .map(|key| format!("{}/{}", key.namespace, key.name))
        .collect()
}
