//! The administrator's token: the way in after the first start.
//!
//! The file in the data folder is the truth. With a new database the token in it is made good again, so that
//! kubeconfigs keep working; when the file is deleted, the next start makes another token and the old one is refused.
//! Servers that share a database have a folder and a token each, and leave the others theirs.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::record::{ADMINISTRATOR, NewToken, TOKENS, TokenError, register, revoke_token};
use super::token::Token;
use super::upgrade::upgrade;
use crate::access::MASTERS;
use crate::store::{ListQuery, Store, data_dir};

/// The token file's name in the data folder.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// Whom its bearer is taken for.
pub(super) const USER: &str = "admin";

/// Why there is no administrator's token.
#[derive(Debug, thiserror::Error)]
pub enum AdminTokenError {
    /// The token file could not be read or written.
    #[error("cannot use the token file {}", path.display())]
    File {
        /// The token file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file holds something else. Delete it, and the next start makes a new token.
    #[error("{} holds no token; delete it to get a new one", path.display())]
    NotAToken {
        /// The token file.
        path: PathBuf,
    },
    /// Others on this machine may read it, so that it is the administrator's no longer. Delete it to get a new one.
    #[error("{} can be read by others; delete it to get a new token", path.display())]
    Exposed {
        /// The token file.
        path: PathBuf,
    },
    /// The token could not be made or stored.
    #[error("the administrator's token could not be made good")]
    Token(#[from] TokenError),
}

/// What becomes of the tokens of administrators that are not this data folder's, when it gets its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherAdmins {
    /// They are refused from now on: the store is this folder's alone, and its file was deleted for this.
    Revoke,
    /// They stay: they may be those of other servers on the same database.
    Keep,
}

/// Sees to it that the data folder holds a token of the administrator that is good, and says in which file.
pub async fn ensure_admin_token(
    store: &dyn Store,
    data_dir: &Path,
    others: OtherAdmins,
    now: Timestamp,
) -> Result<PathBuf, AdminTokenError> {
    upgrade(store).await?;
    let path = data_dir.join(ADMIN_TOKEN_FILE);
    let (token, outdated) = match read(&path)? {
        Some(token) => (token, Vec::new()),
        None => {
            let token = Token::generate().ok_or(TokenError::NoRandomness)?;
            let outdated = match others {
                OtherAdmins::Revoke => administrators(store).await?,
                OtherAdmins::Keep => Vec::new(),
            };
            write(&path, &token)?;
            (token, outdated)
        }
    };
    // After the file: a crash in between leaves a token that the next start makes good.
    let admin = NewToken {
        name: name_of(&token.hash().id()),
        username: USER.to_owned(),
        groups: vec![MASTERS.to_owned()],
        ..NewToken::default()
    };
    register(store, &token, admin, now).await?;
    for name in outdated {
        revoke_token(store, &name).await?;
    }
    Ok(path)
}

/// What an administrator's token is called among the tokens: servers on one database have one each.
pub(super) fn name_of(id: &str) -> String {
    format!("{USER}-{}", id.get(..8).unwrap_or(id))
}

/// The names of all servers' tokens.
async fn administrators(store: &dyn Store) -> Result<Vec<String>, TokenError> {
    let query = ListQuery {
        resource: TOKENS.to_owned(),
        namespace: None,
        after: None,
        limit: None,
    };
    let page = store.list(&query).await.map_err(TokenError::Store)?;
    let administrators = page
        .items
        .into_iter()
        .filter(|stored| stored.object["metadata"]["labels"][ADMINISTRATOR] == "true")
        .map(|stored| stored.key.name);
    Ok(administrators.collect())
}

fn read(path: &Path) -> Result<Option<Token>, AdminTokenError> {
    let file = |source| AdminTokenError::File {
        path: path.to_owned(),
        source,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file(error)),
    };
    if data_dir::is_exposed(path).map_err(file)? {
        return Err(AdminTokenError::Exposed {
            path: path.to_owned(),
        });
    }
    match Token::parse(text.trim()) {
        Some(token) => Ok(Some(token)),
        None => Err(AdminTokenError::NotAToken {
            path: path.to_owned(),
        }),
    }
}

fn write(path: &Path, token: &Token) -> Result<(), AdminTokenError> {
    let line = Zeroizing::new(format!("{}\n", token.reveal()));
    path.parent()
        .map_or(Ok(()), data_dir::ensure)
        .and_then(|()| data_dir::write_private(path, line.as_bytes()))
        .map_err(|source| AdminTokenError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;
    use crate::auth::{Authenticator, TokenAuthenticator};
    use crate::store::memory::MemoryStore;

    async fn is_good(store: &Arc<MemoryStore>, token: &str) -> bool {
        let store = Arc::clone(store) as Arc<dyn Store>;
        let identity = TokenAuthenticator::new(store, Arc::new(|| Timestamp::UNIX_EPOCH))
            .authenticate(token)
            .await
            .unwrap();
        identity.is_some_and(|it| it.username == "admin" && it.groups.contains(&MASTERS.to_owned()))
    }

    async fn ensure(store: &Arc<MemoryStore>, dir: &Path) -> String {
        let path = ensure_admin_token(&**store, dir, OtherAdmins::Revoke, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    #[tokio::test]
    async fn the_first_start_writes_a_private_good_token_and_later_ones_keep_it() {
        let (store, root) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        let dir = root.path().join("data");
        let token = ensure(&store, &dir).await;
        assert!(is_good(&store, &token).await);
        let mode = std::fs::metadata(dir.join(ADMIN_TOKEN_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(ensure(&store, &dir).await, token);
    }

    #[tokio::test]
    async fn a_new_database_accepts_the_token_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let token = ensure(&Arc::new(MemoryStore::new()), dir.path()).await;
        let fresh = Arc::new(MemoryStore::new());
        assert_eq!(ensure(&fresh, dir.path()).await, token);
        assert!(is_good(&fresh, &token).await);
    }

    #[tokio::test]
    async fn deleting_the_file_replaces_the_token() {
        let (store, dir) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        let old = ensure(&store, dir.path()).await;
        std::fs::remove_file(dir.path().join(ADMIN_TOKEN_FILE)).unwrap();
        let new = ensure(&store, dir.path()).await;
        assert_ne!(new, old);
        assert!(is_good(&store, &new).await);
        assert!(!is_good(&store, &old).await);
    }

    #[tokio::test]
    async fn servers_that_share_a_store_leave_each_other_their_administrators() {
        let (store, here) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        let there = tempfile::tempdir().unwrap();
        let token = ensure(&store, here.path()).await;
        ensure_admin_token(
            &*store,
            there.path(),
            OtherAdmins::Keep,
            Timestamp::UNIX_EPOCH,
        )
        .await
        .unwrap();
        assert!(is_good(&store, &token).await);
        assert_eq!(ensure(&store, here.path()).await, token);
    }

    #[tokio::test]
    async fn a_file_that_is_no_token_or_that_others_can_read_is_refused() {
        let (store, dir) = (MemoryStore::new(), tempfile::tempdir().unwrap());
        let path = dir.path().join(ADMIN_TOKEN_FILE);
        data_dir::write_private(&path, b"password\n").unwrap();
        let refused = ensure_admin_token(
            &store,
            dir.path(),
            OtherAdmins::Revoke,
            Timestamp::UNIX_EPOCH,
        )
        .await;
        assert!(matches!(refused, Err(AdminTokenError::NotAToken { .. })));
        data_dir::write_public(&path, Token::generate().unwrap().reveal().as_bytes()).unwrap();
        let refused = ensure_admin_token(
            &store,
            dir.path(),
            OtherAdmins::Revoke,
            Timestamp::UNIX_EPOCH,
        )
        .await;
        assert!(matches!(refused, Err(AdminTokenError::Exposed { .. })));
    }
}
