//! Git over SSH, in this process: no `ssh` is started.
//!
//! The server must show a key that is written down; there is no trust on first use, because nobody is there to ask.

use std::{
    borrow::Cow,
    io::{self, Read, Write},
    sync::Arc,
};

use gix_transport::{
    Protocol,
    client::git::{ConnectMode, blocking_io::Connection},
};
use russh::{
    ChannelStream, Preferred,
    client::{self, AuthResult, Handle},
    keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};

use super::{Credentials, FetchError, address::SshPlace, host_keys::HostKeys, in_full, line::Line};

type Stream = ChannelStream<client::Msg>;

/// A way to a repository.
pub(super) fn transport(
    place: &SshPlace,
    credentials: &Credentials,
    line: &Arc<Line>,
) -> Result<Connection<Incoming, Outgoing>, FetchError> {
    let key = private_key(credentials)?;
    let known = credentials.known_hosts.as_deref().ok_or_else(|| {
        FetchError::BadCredentials(format!(
            "the Secret of spec.secretRef needs a key \"known_hosts\": what `ssh-keyscan -t ed25519 {}` prints, after \
             comparing it with what the host publishes",
            place.host
        ))
    })?;
    let host_keys = HostKeys::of(place, known)?;
    let opened = line
        .wait(open(place, key, host_keys))
        .map_err(|error| FetchError::Unreachable(error.to_string()))??;
    let session = Arc::new(opened.session);
    let (read, write) = tokio::io::split(opened.stream);
    Ok(Connection::new(
        Incoming {
            stream: read,
            line: Arc::clone(line),
            _session: Arc::clone(&session),
        },
        Outgoing {
            stream: write,
            line: Arc::clone(line),
        },
        Protocol::V2,
        place.path.as_str(),
        None::<(&str, Option<u16>)>,
        ConnectMode::Process,
        false,
    )
    .custom_url(Some(place.to_string().into())))
}

fn private_key(credentials: &Credentials) -> Result<PrivateKey, FetchError> {
    let identity = credentials.identity.as_ref().ok_or_else(|| {
        FetchError::BadCredentials(
            "the Secret of spec.secretRef needs a key \"identity\": an SSH private key, such as \
             `ssh-keygen -t ed25519 -N '' -f identity` makes"
                .to_owned(),
        )
    })?;
    let passphrase = credentials.password.as_ref().map(|secret| secret.expose());
    // The library's own words may quote the key.
    let key = decode_secret_key(identity.expose(), passphrase).map_err(|_| {
        FetchError::BadCredentials(
            "the Secret's key \"identity\" is not an SSH private key that can be read; an encrypted one needs its \
             passphrase in the key \"password\""
                .to_owned(),
        )
    })?;
    if key.algorithm().is_rsa() {
        return Err(FetchError::BadCredentials(
            "the Secret's key \"identity\" is an RSA key, which Mirage does not use: make one with \
             `ssh-keygen -t ed25519`"
                .to_owned(),
        ));
    }
    Ok(key)
}

struct Opened {
    session: Handle<Greeter>,
    stream: Stream,
}

async fn open(
    place: &SshPlace,
    key: PrivateKey,
    host_keys: HostKeys,
) -> Result<Opened, FetchError> {
    let config = client::Config {
        preferred: Preferred {
            key: Cow::Owned(host_keys.algorithms()),
            ..Preferred::default()
        },
        nodelay: true,
        ..client::Config::default()
    };
    let greeter = Greeter {
        host: place.host.clone(),
        host_keys,
    };
    let target = (place.host.as_str(), place.port);
    let mut session = client::connect(Arc::new(config), target, greeter)
        .await
        .map_err(|error| match error {
            Trouble::HostKey(message) => FetchError::HostKey(message),
            Trouble::Ssh(russh::Error::NoCommonAlgo { .. }) => FetchError::HostKey(format!(
                "{} has no host key of a kind that \"known_hosts\" lists for it, or no way to encrypt that Mirage knows",
                place.host
            )),
            Trouble::Ssh(error) => FetchError::Unreachable(in_full(&error)),
        })?;
    let unreachable = |error: russh::Error| FetchError::Unreachable(in_full(&error));
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
    match session
        .authenticate_publickey(&place.user, key)
        .await
        .map_err(unreachable)?
    {
        AuthResult::Success => {}
        AuthResult::Failure { .. } => {
            return Err(FetchError::Unauthorized(format!(
                "{} does not take the SSH key for user {:?}; add its public half there as a deploy key",
                place.host, place.user
            )));
        }
    }
    let channel = session.channel_open_session().await.map_err(unreachable)?;
    // A server that ignores it speaks the older protocol, which is understood too.
    channel
        .set_env(false, "GIT_PROTOCOL", "version=2")
        .await
        .map_err(unreachable)?;
    channel
        .exec(true, format!("git-upload-pack {}", quoted(&place.path)))
        .await
        .map_err(unreachable)?;
    Ok(Opened {
        session,
        stream: channel.into_stream(),
    })
}

/// As one word for a shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}

/// Looks at the server's key.
struct Greeter {
    host: String,
    host_keys: HostKeys,
}

/// What may go wrong while connecting.
#[derive(Debug)]
enum Trouble {
    HostKey(String),
    Ssh(russh::Error),
}

impl From<russh::Error> for Trouble {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Greeter {
    type Error = Trouble;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Trouble> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = shown
            && self.host_keys.know(key)
        {
            return Ok(true);
        }
        Err(Trouble::HostKey(format!(
            "{} shows a host key that \"known_hosts\" does not list: either it was changed, which the host's operators \
             can confirm, or somebody stands in between",
            self.host
        )))
    }
}

/// What the server says.
pub(super) struct Incoming {
    stream: ReadHalf<Stream>,
    line: Arc<Line>,
    /// The connection ends with it.
    _session: Arc<Handle<Greeter>>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.line.wait(self.stream.read(buffer))??;
        self.line.take(read)?;
        Ok(read)
    }
}

/// What is said to the server.
pub(super) struct Outgoing {
    stream: WriteHalf<Stream>,
    line: Arc<Line>,
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.wait(self.stream.write(bytes))?
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.wait(self.stream.flush())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_it_holds() {
        assert_eq!(quoted("acme/shop.git"), "'acme/shop.git'");
        assert_eq!(quoted("a'; rm -rf /; '"), r"'a'\''; rm -rf /; '\'''");
    }

    #[test]
    fn a_key_that_cannot_be_read_is_not_repeated() {
        let credentials = Credentials {
            identity: Some(mirage_railway::secret::SecretValue::new("canary")),
            ..Credentials::default()
        };
        let error = private_key(&credentials).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
}
