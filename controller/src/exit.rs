//! What the process says with its exit code. Scripts rely on it, so `docs/reference/cli.md` lists it too.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is so.
    Success,
    /// It is not, and stderr says why.
    Failure,
    /// `plan`: there is something to do.
    Changes,
    /// `wait` and `apply --wait`: the state waited for did not come.
    NotReached,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Changes => 2,
            Exit::NotReached => 3,
        })
    }
}
