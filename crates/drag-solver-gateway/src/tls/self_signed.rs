//! A certificate made on the spot, and the authority that signed it and is no more.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, string::Ia5String,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroize as _;

use super::crypto::provider;
use super::error::TlsError;

/// Longer ones are refused by browsers and by what is built like them (CA/Browser Forum, from 2020).
const VALIDITY: Duration = Duration::from_secs(397 * 24 * 3_600 - 1);
/// A client whose clock is late would find it not valid yet. It is part of the validity.
const BACK_DATED: Duration = Duration::from_secs(2 * 24 * 3_600);

/// A certificate made by [`self_signed`], with its private key and the authority to trust.
///
/// `Debug` does not show the key.
pub struct SelfSigned {
    /// The certificate of the authority in PEM: what a client must trust.
    pub authority_pem: String,
    /// The server's certificate in PEM.
    pub certificate_pem: String,
    key_pem: String,
    certified: CertifiedKey,
}

impl SelfSigned {
    /// The server's private key in PEM (PKCS #8), to keep certificate and key in files
    /// and trust one authority over restarts. Only its owner may read such a file.
    #[must_use]
    pub fn private_key_pem(&self) -> &str {
        &self.key_pem
    }

    pub(super) fn into_certified_key(mut self) -> CertifiedKey {
        self.key_pem.zeroize();
        self.certified
    }
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned")
            .field("authority_pem", &self.authority_pem)
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

/// Makes a certificate for these names, and the authority that signs it.
///
/// A name is a DNS name (`localhost`), one with a wildcard in front (`*.example.org`), or an IP
/// address (`127.0.0.1`, `::1`). The authority signs this one certificate, could sign for no other
/// name, and its private key is neither written nor kept: who trusts it trusts nothing else. Both are
/// valid for 395 days.
///
/// # Errors
///
/// If there is no name, or one is none.
pub fn self_signed(names: &[String]) -> Result<SelfSigned, TlsError> {
    let sans: Vec<SanType> = names
        .iter()
        .map(|name| san(name))
        .collect::<Result<_, _>>()?;
    if sans.is_empty() {
        return Err(TlsError::Make("there is no name for it".to_owned()));
    }
    let start = SystemTime::now() - BACK_DATED;
    let end = start + VALIDITY;

    let mut leaf = CertificateParams::default();
    // Not one of the names: OpenSSL takes what looks like a host here for a DNS name if there is no
    // other, and an authority for addresses only may not sign for it.
    leaf.distinguished_name = common_name("drag-solver gateway, server");
    leaf.not_before = start.into();
    leaf.not_after = end.into();
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.use_authority_key_identifier_extension = true;

    let mut authority = CertificateParams::default();
    authority.distinguished_name = common_name("drag-solver gateway");
    authority.not_before = start.into();
    authority.not_after = end.into();
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.name_constraints = Some(constraints(&sans));
    leaf.subject_alt_names = sans;

    let leaf_key = KeyPair::generate().map_err(make)?;
    let mut authority_key = KeyPair::generate().map_err(make)?;
    let authority_pem = authority.self_signed(&authority_key).map_err(make)?.pem();
    let signed = {
        let issuer = Issuer::from_params(&authority, &authority_key);
        leaf.signed_by(&leaf_key, &issuer)
    };
    authority_key.zeroize();
    drop(authority_key);
    let certificate = signed.map_err(make)?;

    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into();
    let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(make)?;
    Ok(SelfSigned {
        authority_pem,
        certificate_pem: certificate.pem(),
        key_pem: leaf_key.serialize_pem(),
        certified,
    })
}

fn make(error: impl fmt::Display) -> TlsError {
    TlsError::Make(error.to_string())
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn san(name: &str) -> Result<SanType, TlsError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let host = name.strip_prefix("*.").unwrap_or(name);
    check_host(host).map_err(|problem| TlsError::name(name, problem))?;
    let name = Ia5String::try_from(name).map_err(make)?;
    Ok(SanType::DnsName(name))
}

/// A DNS name of letters, digits and hyphens (RFC 1123), and underscores, which containers have.
fn check_host(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("it is empty");
    }
    if host.len() > 253 {
        return Err("it is longer than 253 characters");
    }
    if !host.is_ascii() {
        return Err("write it in its ASCII form (xn--..)");
    }
    for label in host.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err("each part between dots has 1 to 63 characters");
        }
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !label.bytes().all(is_fine) || label.starts_with('-') || label.ends_with('-') {
            return Err(
                "it is neither a host name (without scheme, port or path) nor an IP address",
            );
        }
    }
    if host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err("it looks like an IP address, and is none");
    }
    Ok(())
}

/// No name but these: what the authority may sign for.
fn constraints(sans: &[SanType]) -> NameConstraints {
    let mut permitted_subtrees = Vec::new();
    let mut excluded_subtrees = Vec::new();
    for san in sans {
        permitted_subtrees.push(match san {
            SanType::DnsName(name) => {
                let host = name.as_str();
                GeneralSubtree::DnsName(host.strip_prefix("*.").unwrap_or(host).to_owned())
            }
            SanType::IpAddress(IpAddr::V4(address)) => {
                GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(address.octets(), 32))
            }
            SanType::IpAddress(IpAddr::V6(address)) => {
                GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(address.octets(), 128))
            }
            _ => continue,
        });
    }
    // A kind of name that none is permitted of is not limited at all, unless all of it is excluded.
    if !sans.iter().any(|san| matches!(san, SanType::IpAddress(_))) {
        excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(
            [0; 4], 0,
        )));
        excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
            [0; 16], 0,
        )));
    }
    if !sans.iter().any(|san| matches!(san, SanType::DnsName(_))) {
        excluded_subtrees.push(GeneralSubtree::DnsName(String::new()));
    }
    NameConstraints {
        permitted_subtrees,
        excluded_subtrees,
    }
}
