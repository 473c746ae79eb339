//! Async stores, whose guests move from thread to thread.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::sample::CpuClock;

/// The guest yields to the executor in between, which is where its future may move.
const GUEST: &str = r#"(module
    (import "host" "yield" (func $yield))
    (memory 1)
    (func $malloc (param i32) (result i32) i32.const 64)
    (func $free (param i32))
    (func $start (drop (call $malloc (i32.const 5))) (call $yield))
    (start $start)
    (func $loop (param $n i32)
        (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "run") (param $n i32)
        (loop $again
            (call $loop (i32.const 9000000))
            (call $yield)
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (drop (call $malloc (i32.const 1000)))))"#;

/// Waits for one poll.
#[derive(Default)]
struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

struct Asynchronous {
    profiler: Profiler,
    engine: Engine,
    guest: Guest,
    linker: Linker<()>,
}

impl Asynchronous {
    fn new(options: Options) -> Self {
        let profiler = Profiler::new(options);
        let mut config = Config::new();
        profiler.configure(&mut config).unwrap();
        let engine = Engine::new(&config).unwrap();
        let guest = profiler.prepare(&engine, "guest.wat", GUEST.as_bytes()).unwrap();
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap_async("host", "yield", |_: wasmtime::Caller<'_, ()>, (): ()| Box::new(YieldOnce(false)))
            .unwrap();
        Self { profiler, engine, guest, linker }
    }

    /// All that is done for a request.
    async fn serve(&self, n: i32) -> anyhow::Result<()> {
        let mut store = Store::new(&self.engine, ());
        let attached = self.guest.attach(&mut store, Hooks::new())?;
        let request = async {
            let instance = attached.instantiate_async(&mut store, &self.linker).await?;
            instance.get_typed_func::<i32, ()>(&mut store, "run")?.call_async(&mut store, n).await?;
            anyhow::Ok(())
        };
        attached.polled(request).await
    }
}

/// Polls a future until it is ready, each time on another thread; nanoseconds of CPU time that these have used.
fn on_many_threads(future: impl Future<Output = anyhow::Result<()>> + Send) -> u64 {
    let mut future = Box::pin(future);
    let mut used = 0;
    loop {
        let mut poll = || {
            let before = CpuClock::now();
            (future.as_mut().poll(&mut Context::from_waker(Waker::noop())), CpuClock::now() - before)
        };
        let (polled, more) = std::thread::scope(|scope| scope.spawn(&mut poll).join().unwrap());
        used += more;
        if let Poll::Ready(outcome) = polled {
            outcome.unwrap();
            return used;
        }
    }
}

fn a_guest_that_moves_is_sampled(sampler: CpuSampler) {
    let embedder = Asynchronous::new(Options { heap: exact().heap, ..cpu(sampler, 1000) });
    let n_requests = 10;
    let used: u64 = (0..n_requests).map(|_| on_many_threads(embedder.serve(10))).sum();
    let profile = embedder.profiler.profile("cpu").unwrap();
    let (stacks, nanos) = (stacks(&profile), totals(&profile)[1]);
    let in_loop: i64 = stacks.iter().filter(|(stack, _)| stack.starts_with("loop;")).map(|(_, count)| count).sum();
    assert!(in_loop * 10 > totals(&profile)[0] * 8, "{stacks:?}");
    // The threads begin and end beside that.
    let (found, used) = (nanos as f64 / 1e9, used as f64 / 1e9);
    assert!(found > 0.6 * used && found < 1.02 * used, "{found} s of {used} s");
    let heap = totals(&embedder.profiler.profile("heap").unwrap());
    assert_eq!(heap, [2 * n_requests, 1005 * n_requests, 0, 0], "start functions are seen, too");
}

#[test]
fn a_guest_that_moves_is_sampled_by_signal() {
    a_guest_that_moves_is_sampled(CpuSampler::Auto);
}

#[test]
fn a_guest_that_moves_is_sampled_by_epoch() {
    a_guest_that_moves_is_sampled(CpuSampler::Epoch);
}

/// A request that is given up while its guest waits leaves what was measured.
#[test]
fn a_request_may_be_dropped() {
    let embedder = Asynchronous::new(exact());
    {
        let mut request = pin!(embedder.serve(5));
        assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(totals(&embedder.profiler.profile("heap").unwrap()), [1, 5, 1, 5]);
        assert_eq!(embedder.guest.registry().handle().contexts.live().len(), 1);
    }
    assert_eq!(totals(&embedder.profiler.profile("heap").unwrap()), [1, 5, 0, 0]);
    assert!(embedder.guest.registry().handle().contexts.live().is_empty());
}
