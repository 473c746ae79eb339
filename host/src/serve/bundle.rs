//! The viewer's own files, as they were when wprof was built.

use std::path::Path;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

// `BUNDLE: &[(&str, &[u8])]`, the files of www/dist.
include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// What tells one build's file from another's, for each of `BUNDLE`; a browser that has it need not load it again.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tag = |bytes: &[u8]| {
        let digest: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{digest}\"")
    };
    BUNDLE.iter().map(|(_, bytes)| tag(bytes)).collect()
});

/// Whether this build carries the viewer.
#[must_use]
pub fn has_bundle() -> bool {
    !BUNDLE.is_empty()
}

/// One of its files; `/` is the page.
pub(super) async fn file(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    let found = BUNDLE.iter().zip(TAGS.iter()).find(|((own, _), _)| *own == name);
    let Some(((_, bytes), tag)) = found else { return super::not_found("not found") };
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok()).unwrap_or_default();
    // RFC 9110, 13.1.2: a list, of which weak tags count as well.
    if known.split(',').any(|it| it.trim().trim_start_matches("W/") == tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.as_str())]).into_response();
    }
    ([(header::CONTENT_TYPE, mime(name)), (header::ETAG, tag.as_str())], Body::from(*bytes)).into_response()
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
