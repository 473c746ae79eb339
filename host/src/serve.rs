//! The viewer's server: the embedded bundle, and the profiles it is to show. On loopback only.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

// `BUNDLE: &[(&str, &[u8])]`, the files of www/dist as they were when wprof was built.
include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// Whether this build carries the viewer.
#[must_use]
pub fn has_bundle() -> bool {
    !BUNDLE.is_empty()
}

/// A bound server that shows some profiles.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    files: Arc<[PathBuf]>,
}

impl Server {
    /// Takes a port on 127.0.0.1; 0 means any that is free.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub fn bind(port: u16, files: &[PathBuf]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("failed to listen on 127.0.0.1:{port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, files: files.into() })
    }

    /// Where the viewer is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    ///
    /// When the runtime cannot be started.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { listener, address, files } = self;
        let app = Router::new()
            .route("/api/profiles", get(list))
            .route("/api/profiles/{idx}", get(profile))
            .fallback(get(bundle_file))
            .with_state(files)
            .layer(middleware::from_fn_with_state(address, only_our_host));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, app).await.context("the viewer's server stopped")
        })
    }
}

/// Refuses requests that a page elsewhere sends to us by giving its own name our address (DNS rebinding).
async fn only_our_host(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ours = [address.to_string(), format!("localhost:{}", address.port())];
    let mut response = if ours.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "wprof answers requests to its own address only\n").into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The profiles' names and addresses, in the order given.
async fn list(State(files): State<Arc<[PathBuf]>>) -> Response {
    let entries: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(idx, file)| serde_json::json!({ "name": display_name(file), "url": format!("/api/profiles/{idx}") }))
        .collect();
    typed("application/json", serde_json::Value::from(entries).to_string().into())
}

/// One profile's bytes, read anew each time, so that reloading the page shows a file that was written again.
async fn profile(State(files): State<Arc<[PathBuf]>>, UrlPath(idx): UrlPath<usize>) -> Response {
    let Some(file) = files.get(idx) else {
        return (StatusCode::NOT_FOUND, "no such profile\n").into_response();
    };
    match std::fs::read(file) {
        Ok(bytes) => typed("application/octet-stream", bytes.into()),
        Err(error) => (StatusCode::NOT_FOUND, format!("failed to read {}: {error}\n", file.display())).into_response(),
    }
}

async fn bundle_file(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    match BUNDLE.iter().find(|(own, _)| *own == name) {
        Some((_, bytes)) => typed(mime(name), Body::from(*bytes)),
        None => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

fn typed(mime: &'static str, body: Body) -> Response {
    ([(header::CONTENT_TYPE, mime)], body).into_response()
}

fn mime(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

fn display_name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}
