//! A certificate for any names, signed by an authority that is made for it and then cannot sign another.

use std::fmt;
use std::net::IpAddr;

use drag_solver::store::jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::TlsError;

/// How long it is valid, in days: some clients take no longer ones.
const DAYS: i32 = 396;

/// A certificate with its key, and the authority that clients have to trust.
pub struct SelfSigned {
    /// What clients have to trust, in PEM. Its key is gone: it can sign nothing else, and is for these names alone.
    pub authority_pem: String,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SelfSigned")
    }
}

/// Makes a certificate for these names: hosts, as in `localhost` or `*.example.com`, and addresses.
///
/// # Errors
///
/// A name that is none.
pub fn self_signed(names: &[String]) -> Result<SelfSigned, TlsError> {
    let failed = |error: rcgen::Error| TlsError::with("cannot make a certificate", error);
    if names.is_empty() {
        return Err(TlsError::new("cannot make a certificate for no name"));
    }
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let authority_key = KeyPair::generate().map_err(failed)?;
    let authority = authority(names, today);
    let authority_certificate = authority.self_signed(&authority_key).map_err(failed)?;
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = certificate(names, today)?;
    let issuer = Issuer::new(authority, authority_key);
    let signed = certificate.signed_by(&key, &issuer).map_err(failed)?;
    Ok(SelfSigned {
        authority_pem: authority_certificate.pem(),
        chain: vec![signed.der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    })
}

fn authority(names: &[String], today: Date) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("drag-solver gateway, for itself, {today}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
    dated(params, today)
}

fn certificate(names: &[String], today: Date) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names.to_vec()).map_err(|error| {
        let all = names.join(", ");
        TlsError::with(format!("cannot make a certificate for {all}"), error)
    })?;
    params.distinguished_name = named("drag-solver gateway");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(dated(params, today))
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// Valid since yesterday, for clocks that are behind.
fn dated(mut params: CertificateParams, today: Date) -> CertificateParams {
    let date = |date: Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(date.year().into(), month, day)
    };
    params.not_before = date(today.saturating_sub(1.day()));
    params.not_after = date(today.saturating_add((DAYS - 1).days()));
    params
}

/// What the authority may sign for: this name, and those below it.
fn subtree(name: &str) -> GeneralSubtree {
    match name.parse::<IpAddr>() {
        Ok(address) => {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, whole))
        }
        Err(_) => GeneralSubtree::DnsName(name.trim_start_matches("*.").to_owned()),
    }
}
