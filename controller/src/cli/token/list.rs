//! `mirage token list`

use std::io::Write;

use clap::Args;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::{
    Api,
    api::{ListParams, PostParams},
};

use crate::{
    cli::{
        connection::{Connection, ServerArgs},
        failure::Failure,
        kind::TOKEN,
        output::{self, Document, Format},
        table,
    },
    exit::Exit,
};

const URL: &str = "/apis/auth.mirage.dev/v1alpha1/tokens";

/// Show tokens: whose they are, their limits, when they end and when they were last used
#[derive(Debug, Args)]
#[command(after_help = "Whoever may not see everybody's tokens is shown their own.")]
pub(crate) struct List {
    /// How to show them [default: a table]
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    server: ServerArgs,
}

impl List {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.server.open(None).await?;
        match self.show(&connection, None, out).await {
            Err(Failure::Refused { status }) if status.code == 403 => {
                let me = whoami(&connection).await?;
                self.show(&connection, Some(&me), out).await?;
            }
            shown => shown?,
        }
        Ok(Exit::Success)
    }

    async fn show(
        &self,
        connection: &Connection,
        user: Option<&str>,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let selector = user.map(|user| format!("spec.user={user}"));
        let format = match self.output {
            None | Some(Format::Wide) => {
                let query = selector.map(|selector| {
                    let encoded = url::form_urlencoded::byte_serialize(selector.as_bytes());
                    format!("?fieldSelector={}", encoded.collect::<String>())
                });
                let url = format!("{URL}{}", query.unwrap_or_default());
                let fetched = table::fetch(&connection.client, &url).await;
                let table = fetched.map_err(|error| connection.failed(error))?;
                return table.write(out, self.output.is_some(), false);
            }
            Some(Format::Yaml) => Document::Yaml,
            Some(Format::Json | Format::Name) => Document::Json,
        };
        let params = ListParams {
            field_selector: selector,
            ..ListParams::default()
        };
        let list = connection.api(&TOKEN, "").list(&params).await;
        let list = list.map_err(|error| connection.failed(error))?;
        if self.output == Some(Format::Name) {
            for token in &list.items {
                let name = token.metadata.name.as_deref().unwrap_or_default();
                output::name(out, &TOKEN, name)?;
            }
            return Ok(());
        }
        output::objects(out, format, &list.items, false)
    }
}

async fn whoami(connection: &Connection) -> Result<String, Failure> {
    let api: Api<SelfSubjectReview> = Api::all(connection.client.clone());
    let (parameters, question) = (PostParams::default(), SelfSubjectReview::default());
    let asked = api.create(&parameters, &question);
    let answer = asked.await.map_err(|error| connection.failed(error))?;
    let info = answer.status.and_then(|status| status.user_info);
    Ok(info.and_then(|info| info.username).unwrap_or_default())
}
