//! Every socket is bound before anything else is started: a port that is taken ends the start at once, and a client
//! that comes early waits instead of being refused.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

/// Why a socket could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// Somebody has the port.
    #[error("cannot listen on {address} ({flag})")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// The flag that says so.
        flag: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Tokens would travel in the clear.
    #[error("--listen {address} would carry tokens in the clear to other machines")]
    Exposed {
        /// Where.
        address: SocketAddr,
    },
}

/// Bound and listening, not yet served.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) plain: Bound,
    pub(crate) tls: Bound,
    /// The simulated Railway's, when there is one.
    pub(crate) simulator: Option<Bound>,
}

/// One listener and where it listens, the port chosen where 0 was asked for.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// What is to be bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) plain: SocketAddr,
    pub(crate) insecure: bool,
    pub(crate) tls: SocketAddr,
    pub(crate) simulator: bool,
}

impl Sockets {
    /// Binds all or none.
    pub(crate) async fn bind(wanted: Wanted) -> Result<Self, SocketError> {
        if !wanted.plain.ip().is_loopback() && !wanted.insecure {
            return Err(SocketError::Exposed {
                address: wanted.plain,
            });
        }
        let plain = Bound::at(wanted.plain, "--listen").await?;
        let tls = Bound::at(wanted.tls, "--listen-tls").await?;
        let simulator = if wanted.simulator {
            let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
            Some(Bound::at(anywhere, "the simulated Railway").await?)
        } else {
            None
        };
        Ok(Self {
            plain,
            tls,
            simulator,
        })
    }
}

impl Bound {
    async fn at(address: SocketAddr, flag: &'static str) -> Result<Self, SocketError> {
        let failed = |source| SocketError::Bind {
            address,
            flag,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address as a client on this machine writes it: a socket open to all is reached over loopback.
    pub(crate) fn url(&self, scheme: &str) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                std::net::Ipv4Addr::LOCALHOST.into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        format!("{scheme}://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(plain: &str) -> Wanted {
        Wanted {
            plain: plain.parse().unwrap(),
            insecure: false,
            tls: "127.0.0.1:0".parse().unwrap(),
            simulator: true,
        }
    }

    #[tokio::test]
    async fn port_zero_becomes_a_port_and_a_taken_one_is_named() {
        let sockets = Sockets::bind(wanted("127.0.0.1:0")).await.unwrap();
        assert_ne!(sockets.plain.address.port(), 0);
        assert!(sockets.simulator.is_some());
        let taken = sockets.plain.address.to_string();
        let error = Sockets::bind(wanted(&taken)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot listen on {taken} (--listen)")
        );
    }

    #[tokio::test]
    async fn plain_http_stays_on_this_machine_unless_told_otherwise() {
        let open = wanted("0.0.0.0:0");
        assert!(matches!(
            Sockets::bind(open).await,
            Err(SocketError::Exposed { .. })
        ));
        let sockets = Sockets::bind(Wanted {
            insecure: true,
            ..open
        })
        .await
        .unwrap();
        assert!(sockets.plain.url("http").starts_with("http://127.0.0.1:"));
    }
}
