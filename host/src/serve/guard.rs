//! Who may ask, and what others may do with the answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What a page of ours may do: load what we serve, and nothing from elsewhere. `www/index.html` says the same where
/// another server holds the viewer, but for `frame-ancestors`, which counts in a header only.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
    style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'none'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// On every answer. Profiles and sources are nobody else's: no other page may open, embed or read them.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The names by which a server lets itself be called.
#[derive(Debug, Clone)]
pub struct Hosts {
    address: SocketAddr,
    names: Vec<String>,
}

/// The address that a connection has reached; where the server does not say, it is the one that it is bound to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached(pub(super) SocketAddr);

impl Hosts {
    /// Of a server bound there: the address that was reached, and `localhost` for this machine's own.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        Self { address, names: Vec::new() }
    }

    /// And by these names, at any port: there may be a proxy in front of it.
    #[must_use]
    pub fn and(mut self, names: &[String]) -> Self {
        self.names.extend_from_slice(names);
        self
    }

    /// Whether a `Host` is ours. One that is not is what a page elsewhere sends that has given its own name our address (DNS
    /// rebinding), so that the browser takes our answers for that page's own.
    fn has(&self, host: &str, reached: SocketAddr) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if self.names.iter().any(|own| own.eq_ignore_ascii_case(name) || own.eq_ignore_ascii_case(host)) {
            return true;
        }
        // An IPv6 socket may take IPv4 connections, and calls their addresses its own way.
        let ip = reached.ip().to_canonical();
        let text = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let is_ours = name.eq_ignore_ascii_case(&text) || (ip.is_loopback() && name.eq_ignore_ascii_case("localhost"));
        is_ours && port == Some(reached.port())
    }
}

/// Lets questions of our own pages and of programs through.
pub(super) async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_kept = !["/api/", "/debug/"].iter().any(|it| path.starts_with(it));
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let reached = request.extensions().get::<Reached>().map_or(hosts.address, |it| it.0);
    let mut response = match hosts.has(host, reached) {
        true => next.run(request).await,
        false => (StatusCode::FORBIDDEN, "wprof answers requests to its own address only\n").into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The bundle may be kept, if it is asked whether it is still the same; what people profile is not to be left behind.
    let cache = HeaderValue::from_static(if is_kept { "no-cache" } else { "no-store" });
    headers.insert(header::CACHE_CONTROL, cache);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], reached: &str, host: &str, expected: bool) {
        let reached = reached.parse().unwrap();
        let names: Vec<String> = names.iter().map(|&it| it.to_owned()).collect();
        assert_eq!(Hosts::of(reached).and(&names).has(host, reached), expected, "{host} at {reached} with {names:?}");
    }

    #[test]
    fn a_server_is_called_by_the_address_that_was_reached() {
        for host in ["127.0.0.1:6060", "localhost:6060", "LOCALHOST:6060"] {
            check(&[], "127.0.0.1:6060", host, true);
            check(&[], "[::ffff:127.0.0.1]:6060", host, true);
        }
        for host in ["evil.example:6060", "127.0.0.1:1", "127.0.0.1", "localhost", "", "[::1]:6060", "127.0.0.1:x", ":"]
        {
            check(&[], "127.0.0.1:6060", host, false);
        }
        check(&[], "[::1]:6060", "[::1]:6060", true);
        check(&[], "[::1]:80", "[::1]", true);
        check(&[], "127.0.0.1:80", "localhost", true);
        check(&[], "10.1.2.3:6060", "10.1.2.3:6060", true);
        check(&[], "10.1.2.3:6060", "localhost:6060", false);
        check(&[], "10.1.2.3:6060", "10.1.2.4:6060", false);
    }

    #[test]
    fn other_names_must_be_given() {
        for host in ["box.lan", "BOX.lan:6060", "box.lan:8080"] {
            check(&["box.lan"], "10.1.2.3:6060", host, true);
            check(&["other.lan"], "10.1.2.3:6060", host, false);
        }
        check(&["box.lan:8080"], "10.1.2.3:6060", "box.lan:8080", true);
        check(&["box.lan:8080"], "10.1.2.3:6060", "box.lan:8081", false);
        check(&["box.lan"], "10.1.2.3:6060", "box.lan.evil.example", false);
    }
}
