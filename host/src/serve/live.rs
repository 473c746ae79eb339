//! The server of guests that run: `/debug/pprof/`, and the viewer at `/` on what is served there.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::guard::{self, Hosts};
use super::{bundle, connections, not_found, only_reading, typed};
use crate::debug::{self, Guests};

/// Seconds of the CPU profile that the viewer offers.
const CPU_SECONDS: u32 = 5;

/// Of threads that answer and make profiles: a guest that has to share its core with one gets nine tenths of it.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Which profiles the viewer lists first; all others follow by name.
const FIRST: [&str; 6] = ["heap", "allocs", "peak", "block", "mutex", "memory"];

/// A bound server.
#[derive(Debug)]
pub struct LiveServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// A server at work on a thread of its own, which ends with the process if nobody closes it before.
#[derive(Debug)]
pub struct Serving {
    closing: watch::Sender<bool>,
    /// Hears when it has closed.
    closed: mpsc::Receiver<()>,
}

impl LiveServer {
    /// Takes a port; 0 means any that is free.
    ///
    /// # Errors
    ///
    /// When the port is taken, or the address is not this machine's.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves these guests to whoever calls it by one of these names.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread, or what its runtime needs.
    pub fn start(self, guests: &Guests, hosts: Hosts) -> std::io::Result<Serving> {
        let viewer = Router::new()
            .route("/api/profiles", get(list))
            .route("/api/modules/{idx}", get(module))
            .fallback(get(page))
            .with_state(guests.clone())
            .layer(middleware::from_fn(only_reading));
        let app = debug::router(guests.clone())
            .merge(viewer)
            .layer(middleware::from_fn_with_state(Arc::new(hosts), guard::guard));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().build()?;
        let listener = {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(self.listener)?
        };
        let (closing, is_closing) = watch::channel(false);
        let (has_closed, closed) = mpsc::channel();
        std::thread::Builder::new().name("wprof-http".to_owned()).spawn(move || {
            give_way();
            runtime.block_on(connections::serve(listener, app, is_closing));
            drop(has_closed);
        })?;
        Ok(Serving { closing, closed })
    }
}

impl Serving {
    /// Takes no more requests, and waits for no longer than this until those that were made are answered.
    pub fn close(self, patience: Duration) {
        self.closing.send_replace(true);
        // That it has closed is said by hanging up.
        let _ = self.closed.recv_timeout(patience);
    }
}

/// Has the guest's thread go before this one, and before those that this one starts, as they inherit it.
fn give_way() {
    // On Linux a thread has a niceness of its own; elsewhere the guest's would be lowered with it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

async fn list(State(guests): State<Guests>) -> Response {
    let listed = tokio::task::spawn_blocking(move || listed(&guests.counts(), &guests.modules())).await;
    typed("application/json", listed.unwrap_or_default().to_string().into())
}

/// The answer to `/api/profiles`, of the profiles' names and counts. The page opens the first by itself, so that is one that
/// has something to show.
fn listed(counts: &[(String, usize)], modules: &[(PathBuf, Arc<Vec<u8>>)]) -> Value {
    let rank = |name: &str| FIRST.iter().position(|it| *it == name).unwrap_or(FIRST.len());
    let mut counts: Vec<&(String, usize)> = counts.iter().collect();
    counts.sort_by_key(|(name, _)| rank(name));
    let entry = |name: &str, url: String| json!({ "name": name, "url": url, "size": null, "live": true });
    let path = |name: &str| form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    let named = |(name, _): &&(String, usize)| entry(name, format!("{}{}", debug::ROOT, path(name)));
    let mut profiles: Vec<Value> = counts.iter().map(named).collect();
    if !counts.is_empty() {
        let cpu = entry(&format!("CPU, {CPU_SECONDS} s"), format!("{}profile?seconds={CPU_SECONDS}", debug::ROOT));
        let is_first_empty = counts.first().is_none_or(|(_, count)| *count == 0);
        profiles.insert(usize::from(!is_first_empty), cpu);
    }
    let module = |(idx, (path, bytes)): (usize, &(PathBuf, Arc<Vec<u8>>))| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        json!({ "name": name, "url": format!("/api/modules/{idx}"), "size": bytes.len() })
    };
    let modules: Vec<Value> = modules.iter().enumerate().map(module).collect();
    json!({ "profiles": profiles, "base": null, "modules": modules, "sources": false })
}

/// A module of a guest's, for instructions.
async fn module(State(guests): State<Guests>, Path(idx): Path<String>) -> Response {
    match idx.parse().ok().and_then(|idx| guests.modules().into_iter().nth(idx)) {
        Some((_, bytes)) => typed("application/wasm", Body::from(Bytes::from_owner(Shared(bytes)))),
        None => not_found("no such module"),
    }
}

/// Bytes that the guest's profiles have as well.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The viewer; the list of profiles where there is none.
async fn page(request: axum::extract::Request) -> Response {
    if !bundle::has_bundle() && request.uri().path() == "/" {
        return Redirect::temporary(debug::ROOT).into_response();
    }
    bundle::file(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(counts: &[(&str, usize)]) -> Vec<String> {
        let counts: Vec<(String, usize)> = counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
        let listed = listed(&counts, &[]);
        let profiles = listed["profiles"].as_array().unwrap();
        profiles.iter().map(|it| format!("{} {}", it["name"].as_str().unwrap(), it["url"].as_str().unwrap())).collect()
    }

    #[test]
    fn the_first_has_something_to_show() {
        let cpu = "CPU, 5 s /debug/pprof/profile?seconds=5";
        let [allocs, heap, mine] =
            ["allocs /debug/pprof/allocs", "heap /debug/pprof/heap", "a/b+c /debug/pprof/a%2Fb%2Bc"];
        assert_eq!(names(&[("a/b+c", 1), ("allocs", 2), ("heap", 2)]), [heap, cpu, allocs, mine]);
        assert_eq!(names(&[("a/b+c", 1), ("allocs", 0), ("heap", 0)]), [cpu, heap, allocs, mine]);
        assert!(names(&[]).is_empty());
    }
}
