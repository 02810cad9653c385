//! The forges of this process: one for each credential, so that what it remembers outlives a reconcile.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::{
    client::{Client, Clock},
    credential::{Access, Credential},
    error::Error,
    forge::{Forge, GitHub},
    traffic::Traffic,
    transport::Transport,
};

/// More credentials than one installation uses; a forge that falls out forgets its ETags and tokens, no more.
const MOST: usize = 64;

/// Opens GitHub over a transport.
pub struct Connections {
    transport: Arc<dyn Transport>,
    clock: Clock,
    /// Most recently opened last.
    open: Mutex<Vec<(Digested, Arc<Client>)>>,
}

/// An access as a key: nothing of the credential is kept beside the client that needs it.
type Digested = [u8; 32];

impl Connections {
    /// Nothing is open yet.
    pub fn new(transport: Arc<dyn Transport>, clock: Clock) -> Self {
        Self {
            transport,
            clock,
            open: Mutex::default(),
        }
    }

    /// What all open forges have asked so far.
    pub fn traffic(&self) -> Vec<Traffic> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().map(|(_, client)| client.traffic()).collect()
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl GitHub for Connections {
    fn open(&self, access: &Access) -> Result<Arc<dyn Forge>, Error> {
        let key = digest(access);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(other, _)| *other == key) {
            let entry = open.remove(at);
            let client = Arc::clone(&entry.1);
            open.push(entry);
            return Ok(client);
        }
        let client = Arc::new(Client::new(
            access,
            Arc::clone(&self.transport),
            Arc::clone(&self.clock),
        )?);
        if open.len() == MOST {
            open.remove(0);
        }
        open.push((key, Arc::clone(&client)));
        Ok(client)
    }
}

fn digest(access: &Access) -> Digested {
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        // With its length, so that no two accesses run together into the same bytes.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    };
    add(access.api_url.as_str().as_bytes());
    match &access.credential {
        Credential::Nobody => {}
        Credential::Token(token) => add(token.expose_secret().as_bytes()),
        Credential::App {
            id,
            private_key,
            installation,
        } => {
            add(&id.get().to_be_bytes());
            add(private_key.expose_secret().as_bytes());
            if let Some(installation) = installation {
                add(&installation.get().to_be_bytes());
            }
        }
    }
    digest.finalize().into()
}
