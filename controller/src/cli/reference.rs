//! `mirage reference`: the pages of docs/reference that come from the program. Hidden, because only `make docs` and a
//! test have use for it.

use std::io::Write;

use clap::{Args, ValueEnum};

use crate::{
    cli::{failure::Failure, tree},
    exit::Exit,
};

/// Wide enough for the tables of flags, and the same on every terminal.
const WIDTH: usize = 100;

/// Print a page of the reference as Markdown
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Reference {
    page: Page,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Page {
    /// Every command and flag.
    Cli,
    /// Every field of every kind.
    Specs,
}

impl Reference {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.page {
            Page::Cli => cli(out)?,
            Page::Specs => out.write_all(mirage_specs::schema::reference_markdown().as_bytes())?,
        }
        Ok(Exit::Success)
    }
}

fn cli(out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(
        out,
        "<!-- Written by `make docs` from the program itself. -->\n# Command line\n"
    )?;
    writeln!(
        out,
        "| exit code | meaning |\n|---|---|\n| 0 | done |\n| 1 | failed, also for a mistake in the arguments; stderr says why and what next |\n\
         | 2 | `plan` found changes |\n| 3 | `wait` or `--wait` ended without what it waited for |\n"
    )?;
    section(out, tree(), "")
}

fn section(out: &mut dyn Write, command: clap::Command, before: &str) -> Result<(), Failure> {
    let name = format!("{before}{}", command.get_name());
    let verbs: Vec<clap::Command> = command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
        .cloned()
        .collect();
    // Values of the environment in which this runs belong to no page.
    let mut command = command
        .bin_name(name.clone())
        .mut_args(|argument| argument.hide_env_values(true))
        .term_width(WIDTH);
    writeln!(out, "## {name}\n\n```text")?;
    for line in command.render_long_help().to_string().trim_end().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "```\n")?;
    for verb in verbs {
        section(out, verb, &format!("{name} "))?;
    }
    Ok(())
}
