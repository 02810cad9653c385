//! As much gRPC as it takes to ask etcd: a message each way, or a stream of answers. Written out by hand over HTTP/2, so
//! that no compiler of protocol files is needed and the client costs as little as it can.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use prost::Message;
use tokio::net::TcpStream;

/// A flag and the length of the message (gRPC over HTTP/2: "Length-Prefixed-Message").
const PREFIX: usize = 5;

/// How much the other side may send unasked: more than the longest list.
const WINDOW: u32 = 256 << 20;

/// One connection.
#[derive(Clone)]
pub(super) struct Channel {
    requests: SendRequest<Bytes>,
    address: String,
}

impl Channel {
    pub(super) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(stream)
            .await?;
        tokio::spawn(async move {
            // It ends with the last request; whoever still waits for an answer gets the error.
            let _ = connection.await;
        });
        Ok(Self {
            requests,
            address: address.to_owned(),
        })
    }

    async fn send(
        &mut self,
        method: &str,
        message: &impl Message,
        is_last: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>)> {
        let request = http::Request::post(format!("http://{}/{method}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())?;
        std::future::poll_fn(|context| self.requests.poll_ready(context)).await?;
        let (answer, mut body) = self.requests.send_request(request, false)?;
        let mut frame = BytesMut::with_capacity(PREFIX + message.encoded_len());
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.encoded_len())?);
        message.encode(&mut frame)?;
        body.send_data(frame.freeze(), is_last)?;
        Ok((answer, body))
    }

    /// One message, one answer.
    pub(super) async fn ask<A: Message + Default>(
        &mut self,
        method: &str,
        message: &impl Message,
    ) -> Result<A> {
        let (answer, _) = self.send(method, message, true).await?;
        let mut answers = Answers::of(answer.await?)?;
        let message = answers.next().await?;
        let answer = A::decode(message.context("no answer")?)?;
        let trailers = answers.body.trailers().await?.unwrap_or_default();
        let status = trailers.get("grpc-status").map(|it| it.as_bytes());
        ensure!(
            status.is_none_or(|status| status == b"0"),
            "{method}: {:?}",
            trailers.get("grpc-message")
        );
        Ok(answer)
    }

    /// One message, and answers until somebody hangs up.
    pub(super) async fn stream(&mut self, method: &str, message: &impl Message) -> Result<Answers> {
        let (answer, request) = self.send(method, message, false).await?;
        let mut answers = Answers::of(answer.await?)?;
        answers.request = Some(request);
        Ok(answers)
    }
}

/// What comes back.
pub(super) struct Answers {
    body: RecvStream,
    read: BytesMut,
    /// Open for as long as answers are wanted.
    request: Option<SendStream<Bytes>>,
}

impl Answers {
    fn of(response: http::Response<RecvStream>) -> Result<Self> {
        let (head, body) = response.into_parts();
        if let Some(status) = head.headers.get("grpc-status")
            && status != "0"
        {
            bail!("{:?}", head.headers.get("grpc-message"));
        }
        Ok(Self {
            body,
            read: BytesMut::new(),
            request: None,
        })
    }

    /// The next message; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if let Some(length) = self.read.get(1..PREFIX) {
                let length = u32::from_be_bytes(length.try_into()?) as usize;
                if self.read.len() >= PREFIX + length {
                    self.read.advance(PREFIX);
                    return Ok(Some(self.read.split_to(length).freeze()));
                }
            }
            let Some(chunk) = self.body.data().await else {
                return Ok(None);
            };
            let chunk = chunk?;
            self.body.flow_control().release_capacity(chunk.len())?;
            self.read.extend_from_slice(&chunk);
        }
    }
}
