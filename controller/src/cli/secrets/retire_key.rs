//! `mirage secrets retire-key`

use std::io::Write;

use clap::Args;
use mirage_api::store::seal::Retired;

use crate::{
    cli::{connection::ServerArgs, failure::Failure},
    exit::Exit,
};

/// Take away the versions of the master key that nothing needs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage secrets rotate-key && sleep 60 && mirage secrets retire-key

Refused while anything is sealed with an old version, and for a minute after a rotation. A backup from before the rotation
opens only with the key of its time: keep a copy of the key file for as long as you keep the backup.
Needs the verb `retire` on `masterkeys` in `mirage.dev`; administrators have it.")]
pub(crate) struct RetireKey {
    #[command(flatten)]
    server: ServerArgs,
}

impl RetireKey {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.server.open(None).await?;
        let request = http::Request::post("/api/v1/secrets/retire-key")
            .body(Vec::new())
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let retired: Retired = connection
            .client
            .request(request)
            .await
            .map_err(|error| connection.failed(error))?;
        writeln!(out, "{}", sentence(&retired))?;
        Ok(Exit::Success)
    }
}

fn sentence(retired: &Retired) -> String {
    let versions: Vec<String> = retired.versions.iter().map(u32::to_string).collect();
    let (versions, in_use) = (versions.join(", "), retired.in_use);
    match (retired.versions.is_empty(), retired.is_removed) {
        (true, _) => format!("version {in_use} is the only one; there is nothing to retire"),
        (false, true) => {
            format!("retired version {versions} of the master key; version {in_use} seals")
        }
        (false, false) => {
            format!("nothing needs version {versions}: take it out of MIRAGE_MASTER_KEY")
        }
    }
}
