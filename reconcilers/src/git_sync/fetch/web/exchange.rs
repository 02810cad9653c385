//! One request and its answer, as gix wants to read and write them.

use std::{
    io::{self, BufRead, Cursor, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use reqwest::{RequestBuilder, Response, StatusCode};

use crate::git_sync::fetch::{FetchError, in_full, line::Line};

/// One request and its answer. It leaves when somebody asks for the answer: by then the body is complete.
pub(super) struct Exchange {
    line: Arc<Line>,
    stage: Stage,
}

enum Stage {
    Prepared {
        request: RequestBuilder,
        body: Vec<u8>,
    },
    Answered(Response),
    Failed(String),
}

impl Exchange {
    pub(super) fn prepared(request: RequestBuilder, line: &Arc<Line>) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            line: Arc::clone(line),
            stage: Stage::Prepared {
                request,
                body: Vec::new(),
            },
        }))
    }

    fn answer(&mut self) -> io::Result<&mut Response> {
        if let Stage::Prepared { request, body } = &mut self.stage
            && let Some(request) = request.try_clone()
        {
            let request = if body.is_empty() {
                request
            } else {
                request.body(std::mem::take(body))
            };
            self.stage = match send(request, &self.line) {
                Ok(response) => Stage::Answered(response),
                Err(error) => Stage::Failed(error.to_string()),
            };
        }
        match &mut self.stage {
            Stage::Answered(response) => Ok(response),
            Stage::Failed(why) => Err(io::Error::other(why.clone())),
            Stage::Prepared { .. } => Err(io::Error::other("the request cannot be sent")),
        }
    }

    /// Where it was answered, redirects followed.
    pub(super) fn url(&mut self) -> io::Result<String> {
        Ok(self.answer()?.url().to_string())
    }

    fn chunk(&mut self) -> io::Result<bytes::Bytes> {
        let line = Arc::clone(&self.line);
        let response = self.answer()?;
        let chunk = line
            .wait(response.chunk())?
            .map_err(|error| line.fail(FetchError::Unreachable(in_full(&error.without_url()))))?;
        let chunk = chunk.unwrap_or_default();
        line.take(chunk.len())?;
        Ok(chunk)
    }
}

fn send(request: RequestBuilder, line: &Line) -> io::Result<Response> {
    let response = line
        .wait(request.send())?
        .map_err(|error| line.fail(FetchError::Unreachable(in_full(&error.without_url()))))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(line.fail(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FetchError::Unauthorized(format!(
            "HTTP {status}; give the Secret of spec.secretRef a token that may read the repository"
        )),
        // Forges say this of a private repository to those who may not see it.
        StatusCode::NOT_FOUND | StatusCode::GONE => FetchError::NoRepository(format!(
            "HTTP {status}; check spec.url, and for a private repository the token in spec.secretRef"
        )),
        status if status.is_redirection() => FetchError::NoRepository(format!(
            "HTTP {status} to a place that is not followed; write the repository's own address into spec.url"
        )),
        status => FetchError::Unreachable(format!("HTTP {status}")),
    }))
}

pub(super) fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the body of a request is written.
pub(in super::super) struct Upload(pub(super) Arc<Mutex<Exchange>>);

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut lock(&self.0).stage {
            Stage::Prepared { body, .. } => {
                body.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => Err(io::Error::other("the request has left already")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The headers of an answer, line by line.
pub(in super::super) struct Head {
    exchange: Arc<Mutex<Exchange>>,
    lines: Option<Cursor<Vec<u8>>>,
}

impl Head {
    pub(super) fn of(exchange: &Arc<Mutex<Exchange>>) -> Self {
        Self {
            exchange: Arc::clone(exchange),
            lines: None,
        }
    }

    fn lines(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        if self.lines.is_none() {
            let mut lines = Vec::new();
            for (name, value) in lock(&self.exchange).answer()?.headers() {
                lines.extend_from_slice(name.as_str().as_bytes());
                lines.push(b':');
                lines.extend_from_slice(value.as_bytes());
                lines.push(b'\n');
            }
            self.lines = Some(Cursor::new(lines));
        }
        Ok(self.lines.get_or_insert_default())
    }
}

impl Read for Head {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lines()?.read(buffer)
    }
}

impl BufRead for Head {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.lines()?.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        if let Some(lines) = &mut self.lines {
            lines.consume(bytes);
        }
    }
}

/// The body of an answer, as it comes.
pub(in super::super) struct Body {
    exchange: Arc<Mutex<Exchange>>,
    chunk: bytes::Bytes,
}

impl Body {
    pub(super) fn of(exchange: Arc<Mutex<Exchange>>) -> Self {
        Self {
            exchange,
            chunk: bytes::Bytes::new(),
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.is_empty() {
            self.chunk = lock(&self.exchange).chunk()?;
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, bytes: usize) {
        let _ = self.chunk.split_to(bytes);
    }
}
