//! net/http/pprof for guests: their profiles under `/debug/pprof/`, and godeltaprof's beside them (SEMANTICS §6 and §7).
//!
//! [`router`] is for any axum server. It trusts whoever asks: who may do so is for the server to say, as the one of
//! `wprof run --http` does by the `Host` header.
//!
//! ```text
//! request → params → select guests → work (a thread, two at a time) → Profile → bytes → answer
//! ```

mod answer;
mod cpu;
mod delta;
mod guests;
mod index;
mod named;
mod params;
mod symbol;
mod together;
mod work;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use answer::{NOSNIFF, Refusal, text};
use delta::Clients;
pub use guests::{Guests, Settings};
use params::Params;
use together::Together;
use work::Work;

/// Where they are served.
pub const ROOT: &str = "/debug/pprof/";

/// What all requests share.
#[derive(Debug)]
struct Debug {
    guests: Guests,
    work: Work,
    together: Together,
    clients: Clients,
}

/// A request, as far as the endpoints read it.
#[derive(Debug)]
struct Asked {
    params: Params,
    /// Whether nobody wants the body: nothing is made then that only the body would show.
    is_head: bool,
}

/// Serves the profiles of these guests, of which there may be more or fewer later.
///
/// It is to run on a tokio runtime with time, on whose threads for blocking work profiles are made.
pub fn router(guests: Guests) -> Router {
    let debug = Debug { guests, work: Work::default(), together: Together::default(), clients: Clients::default() };
    Router::new()
        .route("/debug/pprof", any(to_root))
        .route(ROOT, any(root))
        .route("/debug/pprof/{*name}", any(endpoint))
        .with_state(Arc::new(debug))
        .route_layer(middleware::from_fn(only_reading))
}

/// Lets through what reads. Go's own mux would refuse a POST of addresses, too, by which pprof asks for names.
async fn only_reading(request: Request, next: Next) -> Response {
    let is_symbol = request.uri().path() == "/debug/pprof/symbol";
    let mut response = match *request.method() {
        Method::GET | Method::HEAD => next.run(request).await,
        Method::POST if is_symbol => next.run(request).await,
        _ => {
            let allow = [(header::ALLOW, if is_symbol { "GET, HEAD, POST" } else { "GET, HEAD" })];
            (StatusCode::METHOD_NOT_ALLOWED, allow, text("Method Not Allowed\n")).into_response()
        }
    };
    let (name, value) = NOSNIFF;
    response.headers_mut().insert(name, value);
    response
}

async fn to_root(request: Request) -> Response {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let headers = [(header::LOCATION, format!("{ROOT}{query}")), (header::CONTENT_TYPE, answer::HTML.to_owned())];
    let said = format!("<a href=\"{ROOT}\">Temporary Redirect</a>.\n\n");
    (StatusCode::TEMPORARY_REDIRECT, headers, said).into_response()
}

async fn root(State(debug): State<Arc<Debug>>, request: Request) -> Result<Response, Refusal> {
    index::index(&debug, &Asked::of(&request)).await
}

async fn endpoint(
    State(debug): State<Arc<Debug>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    // What is not UTF-8 is nobody's name.
    let Ok(Path(name)) = name else { return Err(Refusal::unknown_profile()) };
    let asked = Asked::of(&request);
    match name.as_str() {
        "cmdline" => cmdline(&debug, &asked),
        "profile" => cpu::profile(&debug, &asked).await,
        "symbol" => symbol::symbol(&debug, &asked, request).await,
        "delta_heap" | "delta_block" | "delta_mutex" => delta::delta(&debug, &asked, &name).await,
        // No execution trace is taken of a guest, and no collector tells which goroutines are lost: these are unknown, too.
        name => named::named(&debug, &asked, name).await,
    }
}

fn cmdline(debug: &Debug, asked: &Asked) -> Result<Response, Refusal> {
    debug.guests.select(asked.params.get("guest"))?;
    Ok(text(debug.guests.settings().cmdline.join("\0")))
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self { params: Params::of(request.uri().query()), is_head: request.method() == Method::HEAD }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    fn ask(method: &str, path: &str) -> Response {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(TowerToHyperService::new(router(Guests::default())).call(request)).unwrap()
    }

    #[test]
    fn there_is_nothing_until_a_guest_runs() {
        let names = ["", "heap", "heap?seconds=0", "nope", "cmdline", "profile", "symbol", "delta_heap", "?guest=1"];
        for path in names.map(|name| format!("{ROOT}{name}")) {
            let response = ask("GET", &path);
            assert_eq!(response.status(), 503, "{path}");
            assert_eq!(response.headers()["x-go-pprof"], "1", "{path}");
        }
    }

    #[test]
    fn it_only_reads() {
        for (method, path, allow) in [
            ("POST", "/debug/pprof/heap", "GET, HEAD"),
            ("PUT", "/debug/pprof/", "GET, HEAD"),
            ("POST", "/debug/pprof", "GET, HEAD"),
            ("DELETE", "/debug/pprof/symbol", "GET, HEAD, POST"),
        ] {
            let response = ask(method, path);
            assert_eq!(
                (response.status().as_u16(), &response.headers()["allow"]),
                (405, &allow.parse().unwrap()),
                "{path}"
            );
            assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        }
        assert_eq!(ask("GET", "/debug/pprof/%ff").status(), 404);
    }

    #[test]
    fn a_slash_is_added() {
        let response = ask("GET", "/debug/pprof?guest=1");
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (307, &"/debug/pprof/?guest=1".parse().unwrap())
        );
    }
}
