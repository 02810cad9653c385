//! Asking before something is done to production.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use kube::api::DynamicObject;

use crate::cli::failure::Failure;

/// The flag of verbs that ask.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// Do not ask, whatever the environment is for
    #[arg(short, long)]
    yes: bool,
}

impl ConfirmArgs {
    /// Lets a verb go on, unless the environment is production and the person does not type its name.
    pub(crate) fn confirm(self, object: &DynamicObject, what: &str) -> Result<(), Failure> {
        let is_production = object.data["spec"]["type"] == "prod";
        if self.yes || !is_production {
            return Ok(());
        }
        let name = object.metadata.name.as_deref().unwrap_or_default();
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage(format!(
                "{name} is production, and nobody is there to ask whether to {what} it: add --yes"
            )));
        }
        let mut terminal = io::stderr();
        write!(
            terminal,
            "{name} is production. To {what} it, type its name: "
        )
        .and_then(|()| terminal.flush())
        .map_err(Failure::Output)?;
        let mut typed = String::new();
        io::stdin()
            .lock()
            .read_line(&mut typed)
            .map_err(Failure::Output)?;
        if typed.trim() == name {
            Ok(())
        } else {
            Err(Failure::Usage(format!(
                "not its name, so nothing was done to {name}"
            )))
        }
    }
}
