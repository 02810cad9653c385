//! The port over GitHub's REST API (version 2022-11-28). A [`Client`] belongs to one credential.
//!
//! octocrab builds and sends the requests, takes pages apart and reads GitHub's errors. What it is given below is ours:
//! [`channel`] adds ETags and counts, [`gate`] refuses what GitHub would refuse. Nothing is tried twice in here, but for a
//! token that an app may renew.

mod address;
pub(crate) mod call;
mod channel;
mod classify;
mod etag;
mod forge;
mod gate;
mod limits;
mod pages;
#[cfg(test)]
mod tests;
mod wire;

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use secrecy::SecretString;
use tokio::sync::OnceCell;
use tower::service_fn;

use crate::{
    app::App,
    credential::{Access, Credential},
    error::Error,
    identity::Identity,
    transport::Transport,
};
use address::Root;
use channel::Channel;
use gate::Gate;

/// Tells the time of day, handed in so that a simulated world can have its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// GitHub, for one credential.
pub struct Client {
    root: Root,
    octocrab: Octocrab,
    channel: Arc<Channel>,
    gate: Gate,
    authority: Authority,
    identity: OnceCell<Identity>,
    clock: Clock,
}

/// In whose name requests go out.
enum Authority {
    Nobody,
    Token(SecretString),
    App(Box<App>),
}

impl Client {
    /// A client of its own: see [`crate::Connections`] for ones that are shared. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when an app's private key is not one.
    pub fn new(
        access: &Access,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let authority = match &access.credential {
            Credential::Nobody => Authority::Nobody,
            Credential::Token(token) => Authority::Token(token.clone()),
            Credential::App {
                id,
                private_key,
                installation,
            } => Authority::App(Box::new(App::new(*id, private_key, *installation)?)),
        };
        let root = Root::new(&access.api_url);
        let channel = Arc::new(Channel::new(root.clone(), transport));
        let below = Arc::clone(&channel);
        let service = service_fn(move |request| {
            let channel = Arc::clone(&below);
            async move { channel.carry(request).await }
        });
        let octocrab = match OctocrabBuilder::new_empty()
            .with_service(service)
            .with_auth(AuthState::None)
            .build()
        {
            Ok(octocrab) => octocrab,
            Err(never) => match never {},
        };
        Ok(Self {
            root,
            octocrab,
            channel,
            gate: Gate::default(),
            authority,
            identity: OnceCell::new(),
            clock,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn address(&self, path: &str) -> String {
        self.root.join(path)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}
