//! A web service that runs an instance of a guest for each request and answers what that prints. What they all spend is under
//! `/debug/pprof/`:
//!
//! ```sh
//! cargo run --release --example service -- guest.wasm 127.0.0.1:8080
//! curl 127.0.0.1:8080/a/request
//! go tool pprof 127.0.0.1:8080/debug/pprof/heap
//! ```
#![expect(clippy::print_stdout, reason = "it says where it serves")]

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use wasmtime::{Config, Engine, Linker, Store, StoreLimits};
use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_async};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};
use wprof::Profiler;
use wprof::profiler::{Guest, Hooks, Limits, Options};

/// What a store holds for its request.
struct Request {
    wasi: WasiP1Ctx,
    limits: Limits<StoreLimits>,
}

struct Service {
    engine: Engine,
    guest: Guest,
    linker: Linker<Request>,
}

impl Service {
    async fn run(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let stdout = MemoryOutputPipe::new(1 << 20);
        let wasi = WasiCtxBuilder::new().args(&["guest", path]).stdout(stdout.clone()).inherit_stderr().build_p1();
        let mut store = Store::new(&self.engine, Request { wasi, limits: Limits::default() });
        let hooks = Hooks::new().limiter(|request: &mut Request| &mut request.limits);
        let attached = self.guest.attach(&mut store, hooks)?;
        let call = async {
            let instance = attached.instantiate_async(&mut store, &self.linker).await?;
            let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
            anyhow::Ok(start.call_async(&mut store, ()).await?)
        };
        match attached.polled(call).await {
            Err(error) if error.downcast_ref::<I32Exit>().is_none_or(|exit| exit.0 != 0) => Err(error),
            _ => Ok(stdout.contents().to_vec()),
        }
    }
}

async fn answer(State(service): State<Arc<Service>>, uri: Uri) -> Result<Vec<u8>, (StatusCode, String)> {
    service.run(uri.path()).await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")))
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().context("no guest was given")?;
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let profiler = Profiler::new(Options::default());
    let mut config = Config::new();
    profiler.configure(&mut config)?;
    let engine = Engine::new(&config)?;
    let guest = profiler.prepare(&engine, &path, &wprof::guest::read_wasm(Path::new(&path))?)?;
    let mut linker = Linker::new(&engine);
    add_to_linker_async(&mut linker, |request: &mut Request| &mut request.wasi)?;
    let app = Router::new().fallback(answer).with_state(Arc::new(Service { engine, guest, linker }));
    let app = app.merge(wprof::debug::router(profiler.guests()));
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("serving http://{}", listener.local_addr()?);
        Ok(axum::serve(listener, app).await?)
    })
}
