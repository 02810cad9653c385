//! The port over HTTP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::connection::Key;
use crate::session::Session;
use crate::{Connection, Error, Place, StoredSecret, Vault};

/// Ways in that are remembered, each with its token. Beyond that all are forgotten: it costs a login each.
const SESSIONS: usize = 256;

/// Reads over HTTP.
#[derive(Default)]
pub struct HttpVault {
    sessions: Mutex<HashMap<Key, Arc<Session>>>,
}

impl HttpVault {
    /// Nothing is sent yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn session(&self, connection: &Connection) -> Result<Arc<Session>, Error> {
        let key = connection.key();
        // Entries are whole whatever happened to the thread that had them last.
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&key) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session::open(connection.clone())?);
        if sessions.len() >= SESSIONS {
            sessions.clear();
        }
        sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }
}

#[async_trait]
impl Vault for HttpVault {
    async fn read(&self, connection: &Connection, place: &Place) -> Result<StoredSecret, Error> {
        self.session(connection)?.read(place).await
    }
}
