//! Where a request comes from, when something stands between: `X-Forwarded-For` is believed from trusted proxies only,
//! since anybody can send the header.

use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses, `10.0.0.0/8`, or one, `10.1.2.3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no range of addresses like 10.0.0.0/8")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NetworkError(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| error())?,
            None => whole,
        };
        if prefix > whole {
            return Err(error());
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    /// Whether the address is in it. An IPv4 address that came over an IPv6 socket is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        fn agree(a: u128, b: u128, width: u8, prefix: u8) -> bool {
            let ignored = u32::from(width - prefix);
            a.checked_shr(ignored).unwrap_or(0) == b.checked_shr(ignored).unwrap_or(0)
        }
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => agree(
                ours.to_bits().into(),
                theirs.to_bits().into(),
                32,
                self.prefix,
            ),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                agree(ours.to_bits(), theirs.to_bits(), 128, self.prefix)
            }
            _ => false,
        }
    }
}

/// The address of the client: the socket's, or, when that is a trusted proxy, the last one in the header that is not.
///
/// The header's last entry was written by the proxy that we talk to, the one before by whom that talked to; whatever
/// stands before the first address that we do not trust may be invented.
pub(super) fn client(peer: IpAddr, forwarded_for: Option<&str>, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let mut hops = forwarded_for.unwrap_or_default().rsplit(',');
    while is_trusted(client) {
        match hops.next().map(str::trim).and_then(parse) {
            Some(hop) => client = hop.to_canonical(),
            None => break,
        }
    }
    client
}

/// An address as proxies write it: some add the port.
fn parse(hop: &str) -> Option<IpAddr> {
    let socket = || hop.parse::<std::net::SocketAddr>().ok().map(|it| it.ip());
    hop.parse().ok().or_else(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &[&str]) -> Vec<Network> {
        text.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn a_range_holds_what_begins_alike() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
        ] {
            let network: Network = network.parse().unwrap();
            let address = address.parse().unwrap();
            assert_eq!(network.contains(address), expected, "{network:?} {address}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "::/129",
            "proxy",
            "10.0.0/8",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_header_is_believed_from_trusted_proxies_and_only_as_far_as_they_go() {
        let trusted = networks(&["10.0.0.0/8", "::1"]);
        for (peer, header, expected) in [
            // Nobody that we trust: they may say what they want.
            ("203.0.113.9", Some("1.2.3.4"), "203.0.113.9"),
            ("10.0.0.1", None, "10.0.0.1"),
            ("10.0.0.1", Some("203.0.113.9"), "203.0.113.9"),
            ("10.0.0.1", Some("1.2.3.4, 203.0.113.9"), "203.0.113.9"),
            ("10.0.0.1", Some("203.0.113.9, 10.0.0.2"), "203.0.113.9"),
            ("10.0.0.1", Some("10.0.0.3 , 10.0.0.2"), "10.0.0.3"),
            ("10.0.0.1", Some("203.0.113.9:4711"), "203.0.113.9"),
            ("10.0.0.1", Some("nonsense"), "10.0.0.1"),
            ("10.0.0.1", Some("203.0.113.9, nonsense"), "10.0.0.1"),
            ("::ffff:10.0.0.1", Some("2001:db8::7"), "2001:db8::7"),
            ("::1", Some("203.0.113.9"), "203.0.113.9"),
        ] {
            let found = client(peer.parse().unwrap(), header, &trusted);
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(found, expected, "{peer} {header:?}");
        }
        let nobody = client("10.0.0.1".parse().unwrap(), Some("1.2.3.4"), &[]);
        assert_eq!(nobody.to_string(), "10.0.0.1");
    }
}
