//! Asks servers: one request each, with a bound on time and size.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use ureq::http::Response;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::url::is_loopback;

/// The largest text of an error that is shown, in bytes.
const MAX_ERROR: u64 = 16 << 10;

/// How long names may take.
const SYMBOLS_PATIENCE: Duration = Duration::from_secs(60);

/// Certificates for https, as files in PEM form.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Fetching")]
pub(super) struct TlsOpts {
    /// Certificate to show to a server, in PEM form.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of that certificate.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Certificates to trust in place of the machine's.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
}

/// Gets what is at `url`, no more than `max_size` bytes. The answer must begin within `patience`.
pub(super) fn get(url: &str, patience: Duration, max_size: u64, tls: &TlsOpts) -> anyhow::Result<Vec<u8>> {
    let (agent, https_url) = agent(url, patience, tls)?;
    let asked = || format!("Get \"{url}\"");
    let mut response = agent.get(&https_url).call().with_context(asked)?;
    check_status(&mut response)?;
    let body = read(&mut response, max_size.saturating_add(1)).with_context(asked)?;
    if max_size < body.len() as u64 {
        return Err(super::too_large(max_size));
    }
    Ok(body)
}

/// Sends addresses to `url` and gets their names.
pub(super) fn post(url: &str, body: &str, max_size: u64, tls: &TlsOpts) -> anyhow::Result<Vec<u8>> {
    let (agent, https_url) = agent(url, SYMBOLS_PATIENCE, tls)?;
    let asked = || format!("http post {url}");
    let request = agent.post(&https_url).header("Content-Type", "application/octet-stream");
    let mut response = request.send(body).with_context(asked)?;
    check_status(&mut response).with_context(asked)?;
    read(&mut response, max_size).with_context(asked)
}

/// In pprof's words: a server that is pprof's kin says why in its text.
fn check_status(response: &mut Response<Body>) -> anyhow::Result<()> {
    if response.status() == 200 {
        return Ok(());
    }
    let status = response.status();
    let reason = status.canonical_reason().map(|it| format!(" {it}")).unwrap_or_default();
    let said = format!("server response: {}{reason}", status.as_u16());
    let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if !header("X-Go-Pprof").is_empty() && header("Content-Type").contains("text/plain") {
        let text = read(response, MAX_ERROR).unwrap_or_default();
        bail!("{said} - {}", String::from_utf8_lossy(&text).trim_end());
    }
    bail!(said)
}

fn read(response: &mut Response<Body>, max_size: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    response.body_mut().as_reader().take(max_size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Who asks, and the URL in a scheme that he knows: `https+insecure` is https whose certificate nobody checks.
fn agent(url: &str, patience: Duration, tls: &TlsOpts) -> anyhow::Result<(Agent, String)> {
    let insecure = url.strip_prefix("https+insecure://");
    let roots = match &tls.tls_ca {
        Some(path) => RootCerts::Specific(Arc::new(certificates(path)?)),
        None => RootCerts::PlatformVerifier,
    };
    let client = match (&tls.tls_cert, &tls.tls_key) {
        (Some(cert), Some(key)) => Some(ClientCert::new_with_certs(&certificates(cert)?, private_key(key)?)),
        _ => None,
    };
    let tls = TlsConfig::builder().root_certs(roots).client_cert(client).disable_verification(insecure.is_some());
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_recv_response(Some(patience))
        .user_agent(concat!("wprof/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build());
    if is_loopback(url) {
        config = config.proxy(None);
    }
    let url = insecure.map_or_else(|| url.to_owned(), |it| format!("https://{it}"));
    Ok((config.build().new_agent(), url))
}

fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate<'static>>> {
    let pem = read_file(path)?;
    let items: Result<Vec<PemItem<'_>>, _> = parse_pem(&pem).collect();
    let items = items.with_context(|| format!("read certificates from {}", path.display()))?;
    let certificates: Vec<_> = items
        .into_iter()
        .filter_map(|it| match it {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        bail!("no certificate in {}: expected PEM", path.display());
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> anyhow::Result<PrivateKey<'static>> {
    PrivateKey::from_pem(&read_file(path)?).with_context(|| format!("read a private key from {}", path.display()))
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("read {}", path.display()))
}
