//! `symbol`: the functions at addresses, for profiles that do not name them.

use std::fmt::Write;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use http_body::Body;

use super::answer::{Refusal, text};
use super::guests::Guest;
use super::{Asked, Debug, params};

/// Bytes that a list of addresses may have: pprof asks for all of a mapping's at once.
const MAX_LIST: usize = 4 << 20;

/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers `num_symbols: 1`, as Go does, which only means that there are names to be had; then a line for each that is known.
pub(super) async fn symbol(debug: &Debug, asked: &Asked, request: Request) -> Result<Response, Refusal> {
    let is_post = request.method() == Method::POST;
    // The whole query is the list, so no guest can be chosen.
    let guests = debug.guests.select(asked.params.get("guest").filter(|_| is_post))?;
    let list = match is_post {
        true => list(request).await?,
        false => request.uri().query().unwrap_or_default().to_owned(),
    };
    let answer = debug.work.run(move || names(&list, &guests)).await?;
    Ok(text(answer))
}

async fn list(request: Request) -> Result<String, Refusal> {
    if request.body().size_hint().lower() > MAX_LIST as u64 {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the list of addresses is too long"));
    }
    let body = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), MAX_LIST)).await;
    let late = |_late| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the list of addresses did not come");
    let body = body.map_err(late)?.map_err(|error| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn names(list: &str, guests: &[Guest]) -> String {
    let mut answer = "num_symbols: 1\n".to_owned();
    for address in params::addresses(list) {
        if let Some(name) = guests.iter().find_map(|it| it.registry.name_at(address)) {
            // A text takes all there is.
            let _ = writeln!(answer, "{address:#x} {name}");
        }
    }
    answer
}
