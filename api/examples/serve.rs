//! The API server alone, over TLS, with its data in a folder: for trying clients by hand.
//!
//! ```sh
//! cargo run -p mirage-api --example serve -- /tmp/mirage 127.0.0.1:7443
//! KUBECONFIG=/tmp/mirage/kubeconfig kubectl get environments
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use mirage_api::auth::{OtherAdmins, TokenAuthenticator, ensure_admin_token, write_kubeconfig};
use mirage_api::store::Store;
use mirage_api::store::seal::{MasterKeys, SealedStore, Sealer};
use mirage_api::store::sqlite::SqliteStore;
use mirage_api::tls::{TlsFiles, serve_tls};
use mirage_api::{Api, ApiOptions, Ids};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let data_dir = PathBuf::from(arguments.next().unwrap_or_else(|| ".mirage".into()));
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:7443".into());

    let database = SqliteStore::open(data_dir.join("mirage.db")).await?;
    let sealer = Sealer::new(MasterKeys::load(None, &data_dir)?);
    let store: Arc<dyn Store> = Arc::new(SealedStore::open(database, sealer).await?);
    let clock = Arc::new(Timestamp::now);
    let api = Api::new(ApiOptions {
        store: Arc::clone(&store),
        authenticator: Arc::new(TokenAuthenticator::new(Arc::clone(&store), clock.clone())),
        clock,
        ids: Ids::random(),
        planner: None,
        version: env!("CARGO_PKG_VERSION").into(),
    });
    api.bootstrap().await?;

    let tls = TlsFiles::ensure(&data_dir, &[], Timestamp::now())?;
    let token =
        ensure_admin_token(&*store, &data_dir, OtherAdmins::Revoke, Timestamp::now()).await?;
    let token = std::fs::read_to_string(token)?;
    write_kubeconfig(
        &data_dir,
        &format!("https://{address}"),
        tls.ca_pem.as_deref(),
        token.trim(),
    )?;
    let listener = tokio::net::TcpListener::bind(&address).await?;
    serve_tls(
        listener,
        Arc::clone(&tls.config),
        api.router(),
        std::future::pending(),
    )
    .await;
    Ok(())
}
