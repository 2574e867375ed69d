//! The certificate that `drag-solver serve` shows to clients that speak TLS.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use drag_solver_gateway::tls::{self, Certificates, SelfSigned};

use super::gateway::Door;
use crate::ui::console::eprint_line;
use crate::ui::text::file_name;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// A certificate that can be used.
#[derive(Debug)]
pub(crate) enum Certificate {
    /// Of two files.
    Read(Certificates),
    /// Made on the spot, by an authority that is to be written to the path.
    Made(SelfSigned, PathBuf),
}

impl Door {
    /// The certificate that is named, or one that is made for the names; `None` where nothing listens with it. Writes
    /// nothing.
    ///
    /// # Errors
    ///
    /// What is missing, or wrong with a file or a name.
    pub(crate) fn certificate(&self) -> anyhow::Result<Option<Certificate>> {
        ensure!(
            self.tls_authority.is_none() || !self.tls_self_signed.is_empty(),
            "tls_authority says where the authority of a certificate that is made is written, and none is made: add \
             tls_self_signed, or leave it out"
        );
        let has_certificate = self.tls_certificate.is_some() || !self.tls_self_signed.is_empty();
        if self.tls_listen.is_empty() {
            ensure!(
                !has_certificate,
                "there is a certificate, and nothing listens with it: add --tls-listen ADDRESS:PORT, or tls_listen of \
                 [gateway]"
            );
            return Ok(None);
        }
        let files = (&self.tls_certificate, &self.tls_key);
        Ok(Some(match (files, self.authority()) {
            ((Some(certificate), Some(key)), _) => {
                Certificate::Read(Certificates::from_files(certificate, key)?)
            }
            ((None, None), Some(authority)) => {
                let made = tls::self_signed(&self.tls_self_signed)?;
                check_authority(&authority)?;
                Certificate::Made(made, authority)
            }
            ((None, None), None) => bail!(
                "TLS needs a certificate: name one with --tls-certificate and --tls-key, or have one made with \
                 --tls-self-signed NAME; in [gateway] they are called tls_certificate, tls_key and tls_self_signed"
            ),
            _ => bail!("a certificate and its key belong together: tls_certificate and tls_key"),
        }))
    }

    /// Where the certificate of the authority is written, if one is made.
    pub(crate) fn authority(&self) -> Option<PathBuf> {
        if self.tls_self_signed.is_empty() || self.tls_certificate.is_some() {
            return None;
        }
        let path = self.tls_authority.clone();
        let path = path.unwrap_or_else(|| PathBuf::from("drag-solver-ca.pem"));
        Some(std::path::absolute(&path).unwrap_or(path))
    }
}

impl Certificate {
    /// Writes what clients have to trust, if the certificate was made.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn put_in_use(self) -> anyhow::Result<Certificates> {
        let (made, path) = match self {
            Self::Read(certificates) => return Ok(certificates),
            Self::Made(made, path) => (made, path),
        };
        let name = file_name(&path);
        std::fs::write(&path, &made.authority_pem)
            .with_context(|| format!("--tls-authority: cannot write {name}"))?;
        eprint_line(&format!(
            "note: clients have to trust {name}, which is new with each start: set REQUESTS_CA_BUNDLE and SSL_CERT_FILE \
             (Python, Ruby, OpenSSL) or NODE_EXTRA_CA_CERTS (Node) to it, and start them again"
        ));
        Ok(Certificates::from_self_signed(made))
    }
}

/// Nothing is written over that is no certificate.
fn check_authority(path: &Path) -> anyhow::Result<()> {
    let name = file_name(path);
    let folder = path.parent().unwrap_or(path);
    ensure!(
        folder.is_dir(),
        "tls_authority: cannot write {name}: there is no folder {}",
        file_name(folder)
    );
    ensure!(
        path.is_file() || !path.exists(),
        "tls_authority: cannot write {name}: it is no regular file"
    );
    let is_other = std::fs::read(path).is_ok_and(|bytes| !bytes.starts_with(BEGIN.as_bytes()));
    ensure!(
        !is_other,
        "tls_authority: {name} is there and is no certificate: choose another name"
    );
    Ok(())
}
