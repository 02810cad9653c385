//! Our own CA, good for ten years, and the server's certificate that it signs, good for one.
//!
//! Whether a certificate still serves is asked of the same verifier that clients use, as of thirty days from now: that
//! covers expiry, names, signature and key at once. `issued.json` remembers the two facts that it cannot tell, the
//! exact names and how long the CA lasts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde::{Deserialize, Serialize};

use super::{Material, TlsError, certified_key, provider, read_certificates, read_text};
use crate::store::data_dir;

/// Names under which a server on this machine is called.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const CA_DAYS: i64 = 3652;

/// Apple's platforms refuse server certificates for more than 398 days.
const LEAF_DAYS: i64 = 397;

/// Renewed when less than this remains.
const RENEWAL_DAYS: i64 = 30;

struct Paths {
    ca_certificate: PathBuf,
    ca_key: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    issued: PathBuf,
}

impl Paths {
    fn in_dir(dir: &Path) -> Self {
        Self {
            ca_certificate: dir.join("ca.crt"),
            ca_key: dir.join("ca.key"),
            certificate: dir.join("server.crt"),
            key: dir.join("server.key"),
            issued: dir.join("issued.json"),
        }
    }
}

/// What was issued, beside the certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    names: BTreeSet<String>,
    ca_until: Timestamp,
}

/// The certificate in `dir`, renewed first if it is missing, expires soon, is out for other names or does not verify.
pub(super) fn ensure(dir: &Path, names: &[String], now: Timestamp) -> Result<Material, TlsError> {
    let paths = Paths::in_dir(dir);
    let names: BTreeSet<String> = LOCAL_NAMES
        .into_iter()
        .map(str::to_owned)
        .chain(names.iter().cloned())
        .collect();
    for name in &names {
        server_name(name)?;
    }
    if !still_serves(&paths, &names, now) {
        data_dir::ensure(dir).map_err(file_error(dir))?;
        issue(&paths, names, now)?;
    }
    Ok(Material {
        key: certified_key(&paths.certificate, &paths.key)?,
        ca_pem: Some(read_text(&paths.ca_certificate)?),
    })
}

fn still_serves(paths: &Paths, names: &BTreeSet<String>, now: Timestamp) -> bool {
    let recorded = issued(paths).is_some_and(|issued| issued.names == *names);
    let Ok(key) = certified_key(&paths.certificate, &paths.key) else {
        return false;
    };
    let Ok(ca) = read_certificates(&paths.ca_certificate) else {
        return false;
    };
    recorded && verify(&ca[0], &key.cert, names, days_after(now, RENEWAL_DAYS)).is_ok()
}

fn issued(paths: &Paths) -> Option<Issued> {
    serde_json::from_str(&read_text(&paths.issued).ok()?).ok()
}

/// Signs a new certificate with the CA that is there, or with a new one when there is none that lasts long enough.
fn issue(paths: &Paths, names: BTreeSet<String>, now: Timestamp) -> Result<(), TlsError> {
    if let Some(ca) = usable_ca(paths, now) {
        let leaf = make_leaf(&ca.issuer, &names, now)?;
        // A key that does not belong to the CA's certificate shows here, and the CA is made anew.
        if verify(&ca.certificate, &leaf.chain()?, &names, now).is_ok() {
            let ca_until = ca.until;
            return leaf.write(paths, Issued { names, ca_until });
        }
    }
    let ca_until = days_after(now, CA_DAYS);
    let ca_key = KeyPair::generate().map_err(TlsError::Make)?;
    let params = ca_params(now);
    let certificate = params.self_signed(&ca_key).map_err(TlsError::Make)?;
    data_dir::write_private(&paths.ca_key, ca_key.serialize_pem().as_bytes())
        .map_err(file_error(&paths.ca_key))?;
    data_dir::write_public(&paths.ca_certificate, certificate.pem().as_bytes())
        .map_err(file_error(&paths.ca_certificate))?;
    let leaf = make_leaf(&Issuer::new(params, ca_key), &names, now)?;
    verify(certificate.der(), &leaf.chain()?, &names, now).map_err(TlsError::Verify)?;
    leaf.write(paths, Issued { names, ca_until })
}

struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    until: Timestamp,
}

/// The CA in the folder, if the certificates that it signs today end before it does.
fn usable_ca(paths: &Paths, now: Timestamp) -> Option<Ca> {
    let until = issued(paths)?.ca_until;
    if until < days_after(now, LEAF_DAYS) {
        return None;
    }
    let key = KeyPair::from_pem(&read_text(&paths.ca_key).ok()?).ok()?;
    Some(Ca {
        // Signing needs only the CA's name and the rule for key ids, and those never change.
        issuer: Issuer::new(ca_params(now), key),
        certificate: read_certificates(&paths.ca_certificate)
            .ok()?
            .swap_remove(0),
        until,
    })
}

fn ca_params(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Mirage CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, CA_DAYS);
    params
}

struct Leaf {
    certificate_pem: String,
    key: KeyPair,
}

fn make_leaf(
    ca: &Issuer<'_, KeyPair>,
    names: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Leaf, TlsError> {
    let names: Vec<String> = names.iter().cloned().collect();
    let mut params = CertificateParams::new(names).map_err(TlsError::Make)?;
    params.distinguished_name.push(DnType::CommonName, "mirage");
    // Said outright: rustls refuses a CA's certificate as a server's own.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, now, LEAF_DAYS);
    let key = KeyPair::generate().map_err(TlsError::Make)?;
    let certificate = params.signed_by(&key, ca).map_err(TlsError::Make)?;
    Ok(Leaf {
        certificate_pem: certificate.pem(),
        key,
    })
}

impl Leaf {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|source| TlsError::Pem {
                path: PathBuf::from("server.crt"),
                source,
            })
    }

    /// A crash between the files leaves a pair that does not fit together, and the next start makes another.
    fn write(&self, paths: &Paths, issued: Issued) -> Result<(), TlsError> {
        let record = serde_json::to_vec_pretty(&issued)
            .map_err(|error| file_error(&paths.issued)(error.into()))?;
        data_dir::write_private(&paths.key, self.key.serialize_pem().as_bytes())
            .map_err(file_error(&paths.key))?;
        data_dir::write_public(&paths.certificate, self.certificate_pem.as_bytes())
            .map_err(file_error(&paths.certificate))?;
        data_dir::write_public(&paths.issued, &record).map_err(file_error(&paths.issued))
    }
}

/// Whether a client that trusts `ca` accepts the chain for every one of the names at that time.
fn verify(
    ca: &CertificateDer<'static>,
    chain: &[CertificateDer<'static>],
    names: &BTreeSet<String>,
    at: Timestamp,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let Some((leaf, intermediates)) = chain.split_first() else {
        return Err(rustls::Error::NoCertificatesPresented);
    };
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    for name in names {
        let name = server_name(name).map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(leaf, intermediates, &name, &[], at)?;
    }
    Ok(())
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::Name {
        name: name.to_owned(),
    })
}

/// From the day before, so that a client whose clock is behind accepts it, for whole days.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let (year, month, day) = date(days_after(now, -1));
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(days_after(now, days - 1));
    params.not_after = rcgen::date_time_ymd(year, month, day);
}

fn date(at: Timestamp) -> (i32, u8, u8) {
    let date = at.to_zoned(TimeZone::UTC).date();
    // A calendar's months and days are 1 to 31.
    (
        date.year().into(),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
    )
}

fn days_after(now: Timestamp, days: i64) -> Timestamp {
    // Only a clock at the end of the calendar, the year 9999, saturates.
    now.saturating_add((days * 24).hours())
        .expect("hours are a span that timestamps take")
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File { path, source }
}
