//! `mirage completions`

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::{
    cli::{failure::Failure, tree},
    exit::Exit,
};

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage completions bash > ~/.local/share/bash-completion/completions/mirage
  mirage completions zsh  > \"${fpath[1]}/_mirage\"
  mirage completions fish > ~/.config/fish/completions/mirage.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        // Written at once: the generator panics on a closed pipe.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut tree(), "mirage", &mut script);
        out.write_all(&script)?;
        Ok(Exit::Success)
    }
}
