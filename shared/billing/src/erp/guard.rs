//! Which addresses a request to a company's ERP or webhook may go to.
//!
//! The address is the company's to choose, and the request leaves from inside our network: without a guard, a company could have us call
//! what only we can reach, such as the machine's own interfaces or the metadata service that hands out credentials. Looking at the name is
//! not enough. A name that is public when it is entered can resolve to a private address when it is called, so the guard sits in the
//! resolver and looks at each address that a connection is about to be opened to. An address that stands in the URL itself is never
//! resolved; it is looked at when the connector is made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Environment variable that lets requests reach this machine, for tests: `true` or anything else.
pub const ALLOW_LOOPBACK: &str = "OUTGOING_ALLOW_LOOPBACK";
/// The longest address that is read, in bytes.
const MAX_URL: usize = 2_000;

/// Addresses that are not on the public network, by the registries of special addresses that IANA keeps; each with the bits that count.
const SPECIAL_V4: [(Ipv4Addr, u32); 14] = [
    // This network.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Between providers and their customers.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // This machine.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // This link, and the metadata service.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocols.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Measurements.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    // Documentation.
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// What of the global unicast range 2000::/3 is not public. Outside that range nothing is.
const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    // Protocols: Teredo, measurements, identifiers that are no addresses.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // Documentation.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);
/// The well-known prefix of NAT64. Networks without IPv4 reach every IPv4 host through it, so it cannot simply be closed.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x0064, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const MAPPED: (Ipv6Addr, u32) = (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);

/// Whether an address is one of the public network. An IPv6 address that stands for an IPv4 address is judged by that one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|(network, bits)| {
        let hosts = 32 - bits;
        address.to_bits() >> hosts == network.to_bits() >> hosts
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match embedded_v4(address) {
        Some(embedded) => is_public_v4(embedded),
        None => {
            lies_in(address, GLOBAL_UNICAST)
                && !SPECIAL_V6.iter().any(|special| lies_in(address, *special))
        }
    }
}

fn lies_in(address: Ipv6Addr, (network, bits): (Ipv6Addr, u32)) -> bool {
    let hosts = 128 - bits;
    address.to_bits() >> hosts == network.to_bits() >> hosts
}

/// The IPv4 address that a packet to this address ends up at.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, high, low, _, _, _, seventh, eighth] = address.segments();
    let (left, right) = if lies_in(address, SIX_TO_FOUR) {
        (high, low)
    } else if lies_in(address, MAPPED) || lies_in(address, NAT64) {
        (seventh, eighth)
    } else {
        return None;
    };
    Some(Ipv4Addr::from_bits(
        u32::from(left) << 16 | u32::from(right),
    ))
}

/// Why a request is not sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It cannot be read.
    #[error("its address is not a URL")]
    NotAnUrl,
    /// It is not https.
    #[error("its address is not https")]
    NotHttps,
    /// It holds a user or a password, which would end up in logs; requests are signed instead.
    #[error("its address holds a user or a password")]
    Credentials,
    /// It leads into a private network, or to this machine.
    #[error("its address is not on the public network")]
    NotPublic,
}

/// Decides which addresses are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    allow_loopback: bool,
}

impl Guard {
    /// Https to the public network, and nothing else.
    pub const PUBLIC: Self = Self {
        allow_loopback: false,
    };

    /// As [`Guard::PUBLIC`]; with `allow_loopback` also this machine, and that without https too when it is named by its address. For
    /// stacks that run on one machine and whose ERP is a test.
    pub const fn new(allow_loopback: bool) -> Self {
        Self { allow_loopback }
    }

    /// As the environment variable [`ALLOW_LOOPBACK`] says; as [`Guard::PUBLIC`] when it is not set.
    pub fn from_env() -> Self {
        Self::new(std::env::var(ALLOW_LOOPBACK).is_ok_and(|value| value == "true"))
    }

    /// Whether a connection to this address may be opened.
    pub fn admits(self, address: IpAddr) -> bool {
        is_public(address) || (self.allow_loopback && is_loopback(address))
    }

    /// Reads an address that requests are to be sent to. The reader brings every spelling of a host to one form before it is looked at
    /// (`127.1`, `0x7f000001` and `2130706433` are all `127.0.0.1`), and the same form is what a connection is opened to.
    ///
    /// # Errors
    /// [`Forbidden`]. A name is not resolved here; see [`GuardedResolver`].
    pub fn read(self, text: &str) -> Result<Url, Forbidden> {
        if text.len() > MAX_URL {
            return Err(Forbidden::NotAnUrl);
        }
        let url = Url::parse(text).map_err(|_| Forbidden::NotAnUrl)?;
        let host = url.host_str().ok_or(Forbidden::NotAnUrl)?;
        let literal = literal(host);
        let is_here = self.allow_loopback && literal.is_some_and(is_loopback);
        match url.scheme() {
            "https" => {}
            "http" if is_here => {}
            _ => return Err(Forbidden::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::Credentials);
        }
        match literal {
            Some(address) if !self.admits(address) => Err(Forbidden::NotPublic),
            Some(_) | None => Ok(url),
        }
    }
}

/// The address that a host is, when it is no name. IPv6 stands in brackets.
fn literal(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || embedded_v4(address).is_some_and(|v4| v4.is_loopback())
        }
    }
}

/// Resolves names for connections and gives out only the addresses that the guard admits. What it gives out is what is connected to:
/// nothing resolves the name a second time in between.
#[derive(Clone, Copy, Debug)]
pub struct GuardedResolver {
    guard: Guard,
}

impl GuardedResolver {
    /// With this guard.
    pub const fn new(guard: Guard) -> Self {
        Self { guard }
    }

    /// The admitted ones of the addresses that a name has. A name may have both kinds, inside one network and outside it.
    ///
    /// # Errors
    /// [`Forbidden::NotPublic`] when none is admitted.
    fn admitted(
        self,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Forbidden> {
        let admitted: Vec<SocketAddr> = found
            .filter(|address| self.guard.admits(address.ip()))
            .collect();
        match admitted.is_empty() {
            true => Err(Forbidden::NotPublic),
            false => Ok(admitted),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = *self;
        Box::pin(async move {
            // The port is put in by the caller.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Addrs = Box::new(resolver.admitted(found)?.into_iter());
            Ok(admitted)
        })
    }
}

#[cfg(test)]
mod tests;
