//! The viewer's server: the embedded bundle, and what it is to show. On loopback only, and it only reads.

mod body;
mod bundle;
mod shown;
mod sources;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use bundle::has_bundle;
pub use shown::{Base, Content, Item, Shown};
pub use sources::Sources;

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

/// A bound server that shows some profiles.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shown: Arc<Shown>,
}

impl Server {
    /// Takes a port on 127.0.0.1; 0 means any that is free.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub fn bind(port: u16, shown: Shown) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("failed to listen on 127.0.0.1:{port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, shown: Arc::new(shown) })
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
        let Self { listener, address, shown } = self;
        let app = Router::new()
            .route("/api/profiles", get(list))
            .route("/api/profiles/{idx}", get(profile))
            .route("/api/base", get(base))
            .route("/api/modules/{idx}", get(module))
            .route("/api/source", get(source))
            .fallback(get(bundle::file))
            .with_state(shown)
            .layer(middleware::from_fn_with_state(address, guard));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, app).await.context("the viewer's server stopped")
        })
    }
}

/// Lets questions of our own page through.
async fn guard(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = match refusal(address, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    // The bundle may be kept, if it is asked whether it is still the same; what people profile is not to be left behind.
    let cache = HeaderValue::from_static(if is_api { "no-store" } else { "no-cache" });
    headers.insert(header::CACHE_CONTROL, cache);
    response
}

/// What is no question of our page: one that a page elsewhere sends by giving its own name our address (DNS rebinding),
/// or one to change something.
fn refusal(address: SocketAddr, request: &Request) -> Option<Response> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ours = [address.to_string(), format!("localhost:{}", address.port())];
    if !ours.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return Some((StatusCode::FORBIDDEN, "wprof answers requests to its own address only\n").into_response());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        let said = "nothing can be changed here: GET and HEAD only\n";
        return Some((StatusCode::METHOD_NOT_ALLOWED, allow, said).into_response());
    }
    None
}

async fn list(State(shown): State<Arc<Shown>>) -> Response {
    typed("application/json", shown.list().to_string().into())
}

async fn profile(State(shown): State<Arc<Shown>>, UrlPath(idx): UrlPath<String>) -> Response {
    answer(at(&shown.profiles, &idx), "no such profile")
}

async fn base(State(shown): State<Arc<Shown>>) -> Response {
    answer(shown.base.as_ref().map(|it| &it.item), "there is no base: --base or --diff_base names one")
}

async fn module(State(shown): State<Arc<Shown>>, UrlPath(idx): UrlPath<String>) -> Response {
    answer(at(&shown.modules, &idx), "no such module")
}

/// A source file's text, by the path that a profile gives it.
async fn source(State(shown): State<Arc<Shown>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let path = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "path");
    let Some((_, path)) = path.map(|(key, path)| (key.into_owned(), path.into_owned())) else {
        return not_found("which file? /api/source?path=… with the path that a profile gives it");
    };
    // On a thread for such things, as profiles are read for it.
    match tokio::task::spawn_blocking(move || shown.source(&path)).await {
        Ok(Ok(text)) => typed("text/plain; charset=utf-8", text.into()),
        Ok(Err(reason)) => not_found(&reason),
        Err(_panicked) => (StatusCode::INTERNAL_SERVER_ERROR, "reading it failed\n").into_response(),
    }
}

fn at<'a>(items: &'a [Item], idx: &str) -> Option<&'a Item> {
    items.get(idx.parse::<usize>().ok()?)
}

/// An item's bytes as they are now, so that reloading the page shows a file that was written again.
fn answer(item: Option<&Item>, otherwise: &str) -> Response {
    let Some(item) = item else { return not_found(otherwise) };
    match body::of(&item.content) {
        Ok(body) => typed("application/octet-stream", body),
        Err(error) => not_found(&format!("failed to read {}: {error}", item.content.place(&item.name))),
    }
}

fn not_found(reason: &str) -> Response {
    (StatusCode::NOT_FOUND, format!("{reason}\n")).into_response()
}

fn typed(mime: &'static str, body: Body) -> Response {
    ([(header::CONTENT_TYPE, mime)], body).into_response()
}
