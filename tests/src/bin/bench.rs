//! `make bench`: what Mirage costs in requests to Railway and GitHub and in time, each number beside its bound.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use mirage_tests::bench::{self, Row};

fn main() -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    let mut is_ok = true;
    let mut show = |rows: &[Row]| -> io::Result<()> {
        for row in rows {
            is_ok &= row.is_ok();
            writeln!(out, "{row}")?;
        }
        Ok(())
    };
    show(&bench::counts()?)?;
    show(&bench::previews()?)?;
    show(&bench::latency(50)?)?;
    show(&[bench::many_at_once(200)?])?;
    Ok(if is_ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
