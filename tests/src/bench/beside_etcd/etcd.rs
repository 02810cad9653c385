//! etcd as a process, and the three questions that are put to it.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::grpc::{Answers, Channel};
use super::process;
use crate::process::waiting::{Look, until};

/// etcd's messages, as far as they are used here (etcd 3.4: api/etcdserverpb/rpc.proto, api/mvccpb/kv.proto).
pub(super) mod messages {
    #![allow(missing_docs, reason = "the names are etcd's own vocabulary")]

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct PutRequest {
        #[prost(bytes = "vec", tag = "1")]
        pub(crate) key: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub(crate) value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct PutResponse {}

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct RangeRequest {
        #[prost(bytes = "vec", tag = "1")]
        pub(crate) key: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub(crate) range_end: Vec<u8>,
        #[prost(int64, tag = "3")]
        pub(crate) limit: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct RangeResponse {
        #[prost(message, repeated, tag = "2")]
        pub(crate) kvs: Vec<KeyValue>,
        #[prost(bool, tag = "3")]
        pub(crate) more: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct KeyValue {
        #[prost(bytes = "bytes", tag = "1")]
        pub(crate) key: bytes::Bytes,
        #[prost(bytes = "bytes", tag = "5")]
        pub(crate) value: bytes::Bytes,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct WatchRequest {
        /// Of the variants that there are, the one that is used.
        #[prost(message, optional, tag = "1")]
        pub(crate) create_request: Option<WatchCreateRequest>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct WatchCreateRequest {
        #[prost(bytes = "vec", tag = "1")]
        pub(crate) key: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        pub(crate) range_end: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct WatchResponse {
        #[prost(bool, tag = "3")]
        pub(crate) created: bool,
        #[prost(message, repeated, tag = "11")]
        pub(crate) events: Vec<Event>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Event {
        #[prost(message, optional, tag = "2")]
        pub(crate) kv: Option<KeyValue>,
    }
}

use messages::{
    PutRequest, PutResponse, RangeRequest, RangeResponse, WatchCreateRequest, WatchRequest,
};

/// Where the keys begin, and the first key behind them.
pub(super) const PREFIX: &str = "/environments/default/";
const PREFIX_END: &str = "/environments/default0";

/// A server with a data folder of its own. Killed when this value goes.
pub(super) struct Etcd {
    address: String,
    child: Child,
    _folder: TempDir,
}

impl Etcd {
    /// Starts one; none when there is none on this machine.
    pub(super) async fn start() -> Result<Option<Self>> {
        let Some(program) = program() else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let [client, peer] = process::free_ports::<2>()?;
        let address = format!("127.0.0.1:{client}");
        let (clients, peers) = (
            format!("http://{address}"),
            format!("http://127.0.0.1:{peer}"),
        );
        let log = std::fs::File::create(folder.path().join("etcd.log"))?;
        // Everything that bears on durability and speed is left at its default.
        let child = Command::new(program)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .args(["--listen-client-urls", &clients])
            .args(["--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers])
            .args(["--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("default={peers}")])
            .args(["--logger", "zap", "--log-level", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("etcd could not be started")?;
        let etcd = Self {
            address,
            child,
            _folder: folder,
        };
        until("etcd to be up", async || {
            let put = async { etcd.client().await?.put("up", b"up".to_vec()).await };
            let answer: Result<()> = put.await;
            Ok(Look::when(answer.as_ref().ok().copied(), || {
                format!("{answer:?}")
            }))
        })
        .await?;
        Ok(Some(etcd))
    }

    /// A connection of the caller's own.
    pub(super) async fn client(&self) -> Result<Client> {
        Ok(Client(Channel::connect(&self.address).await?))
    }

    /// In MiB.
    pub(super) fn peak_memory(&self) -> Result<f64> {
        process::peak_memory(self.child.id().context("etcd has ended")?)
    }
}

fn program() -> Option<&'static Path> {
    ["/usr/bin/etcd", "/usr/local/bin/etcd", "/usr/sbin/etcd"]
        .into_iter()
        .map(Path::new)
        .find(|path| path.is_file())
}

/// Whether there is an etcd to compare with.
pub(super) fn is_here() -> bool {
    program().is_some()
}

/// One connection to etcd.
pub(super) struct Client(Channel);

impl Client {
    pub(super) async fn put(&mut self, key: &str, value: Vec<u8>) -> Result<()> {
        let request = PutRequest {
            key: key.as_bytes().to_vec(),
            value,
        };
        let PutResponse {} = self.0.ask("etcdserverpb.KV/Put", &request).await?;
        Ok(())
    }

    /// Objects from this key on; 0 for all of them.
    pub(super) async fn range(&mut self, from: &[u8], limit: i64) -> Result<RangeResponse> {
        let request = RangeRequest {
            key: from.to_vec(),
            range_end: PREFIX_END.as_bytes().to_vec(),
            limit,
        };
        self.0.ask("etcdserverpb.KV/Range", &request).await
    }

    /// Everything that happens to the keys from now on. The first answer, which says so, has come.
    pub(super) async fn watch(&mut self) -> Result<Answers> {
        let create = WatchCreateRequest {
            key: PREFIX.as_bytes().to_vec(),
            range_end: PREFIX_END.as_bytes().to_vec(),
        };
        let request = WatchRequest {
            create_request: Some(create),
        };
        let mut answers = self.0.stream("etcdserverpb.Watch/Watch", &request).await?;
        let first = answers.next().await?.context("the watch ended at once")?;
        let first = <messages::WatchResponse as prost::Message>::decode(first)?;
        ensure!(first.created, "the watch was not made");
        Ok(answers)
    }
}
