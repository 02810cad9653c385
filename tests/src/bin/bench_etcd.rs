//! The second part of `make bench`: Mirage's store beside etcd. Build it with `--release`, or it measures the compiler.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use mirage_tests::bench::beside_etcd::{self, Row, Scale};

// The server's own: its store is measured in this process, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let mut out = io::stdout();
    if cfg!(debug_assertions) {
        writeln!(
            out,
            "NOTE: built without --release; these numbers say nothing."
        )?;
    }
    if !beside_etcd::is_comparable() {
        writeln!(
            out,
            "==================================================================\n\
             NOT COMPARED: there is no etcd on this machine (Debian: etcd-server).\n\
             =================================================================="
        )?;
    }
    let scale = Scale {
        writing: Duration::from_secs(5),
        watches: 1000,
        events: 100,
        objects: 10_000,
    };
    writeln!(out, "{}", Row::heading())?;
    let mut written = Ok(());
    beside_etcd::rows(scale, |row| {
        written = writeln!(out, "{row}").and_then(|()| out.flush());
    })?;
    Ok(written?)
}
