//! `mirage webhook railway`

use std::io::Write;

use clap::Args;
use serde::Deserialize;
use url::form_urlencoded;

use crate::{
    cli::{connection::ConnectionArgs, failure::Failure},
    exit::Exit,
};

/// Show the address for Railway's webhook about an environment
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage webhook railway shop

Put the address into the settings of the project on Railway, under Webhooks. Railway signs nothing, so whoever has
the address can make Mirage look at the environment, and do no more than that. An environment that is deleted and
made anew has another address.")]
pub(crate) struct Railway {
    /// NAME of an environment
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The server's answer.
#[derive(Debug, Deserialize)]
struct Address {
    path: String,
}

impl Railway {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("namespace", &connection.namespace)
            .append_pair("name", &self.name)
            .finish();
        let request = http::Request::get(format!("/api/v1/webhooks/railway?{query}"))
            .body(Vec::new())
            .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
        let address: Address = connection
            .client
            .request(request)
            .await
            .map_err(|error| connection.failed(error))?;
        let server = connection.server.trim_end_matches('/');
        writeln!(out, "{server}{}", address.path)?;
        Ok(Exit::Success)
    }
}
