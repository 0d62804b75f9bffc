//! Where a request comes from, as far as it is needed to count.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use shared::http::{Context, FromContext, Problem};
use shared::variables;

/// The network that a client is counted by: an IPv4 address, or the /64 of an IPv6 address, which is
/// what one household gets.
#[derive(Debug, PartialEq)]
pub struct ClientAddress(pub String);

impl FromContext for ClientAddress {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let header = variables::required("client_address_header")?;
        Ok(read(cx.header(&header).unwrap_or_default()))
    }
}

/// Reads the header's value. Behind a proxy it can be a list (`X-Forwarded-For`), of which only the last
/// entry was written by the proxy next to us. What cannot be read is counted as one client, so that
/// garbage buys nothing.
fn read(value: &str) -> ClientAddress {
    let last = value.rsplit(',').next().unwrap_or_default().trim();
    ClientAddress(match parse(last) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let prefix = address.to_bits() >> 64 << 64;
            format!("{}/64", Ipv6Addr::from_bits(prefix))
        }
        None => "unknown".to_owned(),
    })
}

fn parse(text: &str) -> Option<IpAddr> {
    let with_port = text.parse::<SocketAddr>().map(|socket| socket.ip());
    let address = with_port
        .or_else(|_| text.trim_matches(['[', ']']).parse::<IpAddr>())
        .ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_go_and_ipv6_is_counted_by_its_network() {
        for (value, address) in [
            ("203.0.113.9:51000", "203.0.113.9"),
            ("203.0.113.9", "203.0.113.9"),
            ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("", "unknown"),
            ("localhost", "unknown"),
        ] {
            assert_eq!(read(value), ClientAddress(address.to_owned()), "{value}");
        }
    }
}
