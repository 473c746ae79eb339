//! Answers, with the headers that Go's have.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use proto::MergeError;
use proto::formats::WriteError;

/// On every answer.
pub(super) const NOSNIFF: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// Of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// An answer that people read.
pub(super) fn text(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body.into()).into_response()
}

/// A profile, to be kept in a file of that name.
pub(super) fn attachment(name: &str, body: impl Into<Body>) -> Response {
    // A guest chooses its profiles' names.
    let is_plain = |it: char| it.is_ascii_graphic() && !matches!(it, '"' | '\\');
    let name: String = name.chars().map(|it| if is_plain(it) { it } else { '_' }).collect();
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CONTENT_DISPOSITION, disposition.as_str())];
    (headers, body.into()).into_response()
}

/// Why there is no answer: one line, which pprof shows its user.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    said: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, said: impl Into<String>) -> Self {
        Self { status, said: said.into() }
    }

    pub(super) fn bad_request(said: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, said)
    }

    pub(super) fn failed(said: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, said)
    }

    pub(super) fn unknown_profile() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Unknown profile")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // pprof shows the body of an answer that has this header.
        let mark = [(HeaderName::from_static("x-go-pprof"), "1")];
        let line = self.said.replace(['\n', '\r'], " ");
        (self.status, mark, text(format!("{line}\n"))).into_response()
    }
}

impl From<MergeError> for Refusal {
    fn from(error: MergeError) -> Self {
        Self::failed(format!("the guests' profiles do not add up: {error}"))
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Self::failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let disposition = |name: &str| {
            let response = attachment(name, Vec::new());
            response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned()
        };
        assert_eq!(disposition("example.com/conns"), "attachment; filename=\"example.com/conns\"");
        assert_eq!(disposition("a\"b\\c\nd é"), "attachment; filename=\"a_b_c_d__\"");
    }

    #[test]
    fn a_refusal_is_one_line() {
        let response = Refusal::failed("two\nlines").into_response();
        assert_eq!(response.headers()["x-go-pprof"], "1");
        assert_eq!(format!("{:?}", Refusal::failed("x").status), "500");
    }
}
