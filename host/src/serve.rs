//! The viewer's server: the embedded bundle, and what it is to show. On loopback only, and it only reads. [`LiveServer`] is the
//! one of guests that run.

mod body;
mod bundle;
mod connections;
mod guard;
mod live;
mod shown;
mod sources;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use bundle::has_bundle;
pub use guard::Hosts;
pub use live::{LiveServer, Serving};
pub use shown::{Base, Content, Item, Shown};
pub use sources::Sources;

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
            .layer(middleware::from_fn(only_reading))
            .layer(middleware::from_fn_with_state(Arc::new(Hosts::of(address)), guard::guard));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, app).await.context("the viewer's server stopped")
        })
    }
}

/// What would change something.
async fn only_reading(request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        let said = "nothing can be changed here: GET and HEAD only\n";
        return (StatusCode::METHOD_NOT_ALLOWED, allow, said).into_response();
    }
    next.run(request).await
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
