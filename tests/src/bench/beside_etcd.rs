//! Mirage's store beside etcd: the same puts, watches and lists on the same machine, one after the other.
//!
//! Both are processes of their own behind loopback sockets without TLS, with data folders on the same file system, both
//! as durable as they are by default (SQLite with `synchronous=full`; etcd's write-ahead log). Each writer and each watch
//! has a connection of its own. What is put is an Environment of about 2 KB; etcd gets the same bytes as a value.
//!
//! It is not the same work: Mirage authenticates, parses, validates, counts generations, keeps field ownership and
//! checks that nobody wrote in between, while etcd stores bytes that nobody looks at.

mod etcd;
mod grpc;
mod lists;
mod mirage;
mod object;
mod process;
mod row;
mod watches;
mod writes;

use std::time::Duration;

pub use row::Row;

use etcd::Etcd;
use mirage::Mirage;

/// How much to measure.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How long each number of writers writes.
    pub writing: Duration,
    /// Watches at once.
    pub watches: usize,
    /// Writes that each watch is told of.
    pub events: u32,
    /// Objects in the list.
    pub objects: u32,
}

/// Whether there is an etcd on this machine.
pub fn is_comparable() -> bool {
    etcd::is_here()
}

/// Measures both, and says in rows how they compare. Without etcd on this machine the rows have Mirage's numbers only.
///
/// # Errors
/// One of them did not start, or did not answer as it should.
pub fn rows(scale: Scale, mut show: impl FnMut(&Row)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        for writers in [1, 8, 64] {
            // A new store each time, so that no measurement pays for the one before.
            let mirage = Mirage::start().await?;
            let ours = writes::to_mirage(&mirage, writers, scale.writing).await?;
            drop(mirage);
            let theirs = match Etcd::start().await? {
                Some(etcd) => Some(writes::to_etcd(&etcd, writers, scale.writing).await?),
                None => None,
            };
            let what = format!("durable puts per second, {writers} writers");
            show(&Row::new(
                what,
                "/s",
                ours.per_second,
                theirs.as_ref().map(|it| it.per_second),
            ));
            let what = format!("the same, Mirage's store alone, {writers} writers");
            let stored = writes::to_store(writers, scale.writing).await?;
            let etcd = theirs.as_ref().map(|it| it.per_second);
            show(&Row::new(what, "/s", stored.per_second, etcd));
            let what = format!("p99 of a put, {writers} writers");
            show(&Row::new(
                what,
                "ms",
                ours.p99,
                theirs.as_ref().map(|it| it.p99),
            ));
        }
        let mirage = Mirage::start().await?;
        let idle = writes::to_nothing(&mirage, 64, scale.writing).await?;
        drop(mirage);
        let what = "requests that do nothing, 64 clients";
        show(&Row::new(what, "/s", idle.per_second, None));

        let mirage = Mirage::start().await?;
        let ours = watches::of_mirage(&mirage, scale.watches, scale.events).await?;
        drop(mirage);
        let theirs = match Etcd::start().await? {
            Some(etcd) => Some(watches::of_etcd(&etcd, scale.watches, scale.events).await?),
            None => None,
        };
        for (part, pick) in [("p50", 0), ("p99", 1)] {
            let what = format!(
                "put until a watch has it, {} watches, {part}",
                scale.watches
            );
            show(&Row::new(what, "ms", ours[pick], theirs.map(|it| it[pick])));
        }
        let mirage = Mirage::start().await?;
        let ours = lists::of_mirage(&mirage, scale.objects).await?;
        drop(mirage);
        let theirs = match Etcd::start().await? {
            Some(etcd) => Some(lists::of_etcd(&etcd, scale.objects).await?),
            None => None,
        };
        for row in lists::rows(scale.objects, &ours, theirs.as_ref()) {
            show(&row);
        }
        Ok(())
    })
}
