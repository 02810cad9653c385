//! Who asks, from where, and for what: all that a request's records have in common.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::extract::ConnectInfo;
use http::{HeaderMap, Request, header};
use jiff::Timestamp;

use super::{Audit, Client, Network, Outcome, Record, User, address};
use crate::auth::{Identity, session};
use crate::kubernetes::request::RequestInfo;

/// The server itself, where it acts on nobody's behalf.
const SERVER: &str = "system:mirage";

/// Longer names of programs, longer paths and longer messages are cut.
const LONGEST: usize = 256;

/// A request, as far as records tell of it.
#[derive(Debug)]
pub(crate) struct Origin {
    audit_id: String,
    time: Timestamp,
    from: Client,
    has_token: bool,
    method: String,
    path: String,
    user: OnceLock<User>,
    info: OnceLock<RequestInfo>,
}

impl Origin {
    /// A request that has come in. Who it is from is said later, by [`Origin::identified`].
    pub(crate) fn of<B>(
        request: &Request<B>,
        audit_id: String,
        time: Timestamp,
        trusted: &[Network],
    ) -> Self {
        let headers = request.headers();
        let address = sender(request, trusted);
        Self {
            audit_id,
            time,
            from: Client {
                address,
                agent: short(text(headers, &header::USER_AGENT)),
            },
            has_token: headers.contains_key(header::AUTHORIZATION) || session::is_there(headers),
            method: request.method().as_str().to_ascii_lowercase(),
            path: short(request.uri().path()),
            user: OnceLock::new(),
            info: OnceLock::new(),
        }
    }

    /// The server itself.
    pub(crate) fn server(audit_id: String, time: Timestamp) -> Self {
        let user = User {
            name: SERVER.to_owned(),
            ..User::default()
        };
        Self::of_part(audit_id, time, user)
    }

    /// A part of the server that is known by a name of its own.
    pub(super) fn of_part(audit_id: String, time: Timestamp, user: User) -> Self {
        Self {
            audit_id,
            time,
            from: Client::default(),
            has_token: false,
            method: String::new(),
            path: String::new(),
            user: OnceLock::from(user),
            info: OnceLock::new(),
        }
    }

    /// The request that carries the extensions; the router has put its origin there.
    pub(crate) fn within(extensions: &http::Extensions) -> Arc<Self> {
        let known = extensions.get::<Arc<Self>>();
        known.map(Arc::clone).unwrap_or_else(|| {
            // Only where a handler is called without the router.
            Arc::new(Self::server(String::new(), Timestamp::UNIX_EPOCH))
        })
    }

    /// The id of the answer's header.
    pub(crate) fn audit_id(&self) -> &str {
        &self.audit_id
    }

    /// What was shown by somebody who is not known. Of a token that is not good nothing is kept: it may be a password.
    pub(super) fn credentials(&self) -> &'static str {
        if self.has_token {
            "the token is not good"
        } else {
            "no token was sent"
        }
    }

    /// Who it is.
    pub(crate) fn identified(&self, identity: &Identity) {
        let user = User {
            name: identity.username.clone(),
            groups: identity.groups.clone(),
            token: identity.token.as_ref().map(|token| token.name.clone()),
        };
        // Once a request; a second time would say the same.
        let _ = self.user.set(user);
    }

    /// What is asked for.
    pub(crate) fn understood(&self, info: &RequestInfo) {
        let _ = self.info.set(info.clone());
    }

    /// What was asked for, if that could be understood.
    pub(super) fn info(&self) -> Option<&RequestInfo> {
        self.info.get()
    }

    /// A record of the request, about what it asked for.
    pub(super) fn record(&self, outcome: Outcome) -> Record {
        let mut record = Record {
            sequence: None,
            time: self.time,
            audit_id: self.audit_id.clone(),
            user: self.user.get().cloned().unwrap_or_default(),
            from: self.from.clone(),
            verb: self.method.clone(),
            resource: String::new(),
            namespace: String::new(),
            name: String::new(),
            subresource: String::new(),
            path: String::new(),
            outcome,
            effect: None,
            resource_version: None,
            object: None,
            changes: Vec::new(),
            is_cut: false,
            count: None,
            first_time: None,
        };
        match self.info.get() {
            Some(info) => {
                record.verb = <&str>::from(info.verb).to_owned();
                record.resource = short(&if info.group.is_empty() {
                    info.resource.clone()
                } else {
                    format!("{}.{}", info.resource, info.group)
                });
                record.namespace = short(info.namespace.as_deref().unwrap_or_default());
                record.name = short(info.name.as_deref().unwrap_or_default());
                record.subresource = short(info.subresource.as_deref().unwrap_or_default());
            }
            None => record.path.clone_from(&self.path),
        }
        record
    }
}

/// Where a request comes from; unknown when it came by no socket.
pub(crate) fn address_of<B>(request: &Request<B>, audit: &Audit) -> Option<IpAddr> {
    sender(request, audit.trusted_proxies())
}

fn sender<B>(request: &Request<B>, trusted: &[Network]) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(peer)| client(peer.ip(), request.headers(), trusted))
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    if trusted.is_empty() {
        return peer.to_canonical();
    }
    // Each proxy may add a header of its own instead of an entry to the first.
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let hops = (!hops.is_empty()).then(|| hops.join(","));
    address::client(peer, hops.as_deref(), trusted)
}

fn text<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// As much of it as is kept.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
