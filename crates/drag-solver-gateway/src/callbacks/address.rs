//! Which addresses are the public internet. The standard library's `is_global` is not stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Whether this is an address of the public internet. Everything that IANA's registries of special addresses do not
/// call globally reachable is not, nor is what leads to an address of version 4 that is not.
///
/// Sources: <https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// <https://www.iana.org/assignments/iana-ipv6-special-registry> (2026-11-27).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Names that are never on the public internet end in these (RFC 6761, 6762, 7686, 8375; ICANN, 2024).
const PRIVATE_NAMES: [&str; 7] = [
    ".home.arpa",
    ".internal",
    ".invalid",
    ".local",
    ".localhost",
    ".onion",
    ".test",
];

/// Whether the host of this URL can be reached from the public internet, as far as its text says: a name may lead anywhere.
#[must_use]
pub fn has_public_host(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let Some(host) = url.as_ref().and_then(Url::host_str) else {
        return false;
    };
    let host = host.trim_matches(['[', ']']);
    if let Ok(address) = host.parse() {
        return is_public(address);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_whole = name.contains('.') && name.split('.').all(|label| !label.is_empty());
    is_whole && !PRIVATE_NAMES.iter().any(|end| name.ends_with(end))
}

/// Addresses of version 4 that are not: the first of each block, and how many bits it has in common.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // behind a provider's translation
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, and where clouds keep secrets
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24), // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24), // AMT
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays from 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(192, 175, 48, 0), 24), // AS112
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3),     // multicast, reserved, broadcast
];

/// Global unicast of version 6.
// Outside of it is nothing that is reachable: not ::, ::1, ::ffff:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64,
// 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8.
const UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is not the public internet within it.
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocols: Teredo, ORCHID, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: an address of version 4 is inside
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let differs = |(block, bits): &(Ipv4Addr, u32)| {
        let different = address.to_bits() ^ block.to_bits();
        different.leading_zeros() < *bits
    };
    SPECIAL_V4.iter().all(differs)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let differs = |(block, bits): &(Ipv6Addr, u32)| {
        let different = address.to_bits() ^ block.to_bits();
        different.leading_zeros() < *bits
    };
    !differs(&UNICAST_V6) && SPECIAL_V6.iter().all(differs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_public_internet_is_never_called() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_host_that_is_not_public_is_known_by_its_text() {
        for private in [
            "https://192.168.1.3/a",
            "https://[::1]:8443",
            "https://localhost",
            "https://gateway",
            "https://a.LOCAL.",
            "https://x.internal:1/",
            "https://gateway.test",
            "https://x.invalid",
            "https://x.ONION",
            "https://a..example.com",
            "https://.example.com",
            "https://example.com..",
            "no URL",
        ] {
            assert!(!has_public_host(private), "{private}");
        }
        for public in [
            "https://drags.example.com/callbacks",
            "https://8.8.8.8",
            "https://local.example",
        ] {
            assert!(has_public_host(public), "{public}");
        }
    }

    #[test]
    fn the_public_internet_is_called() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
