//! `wprof run`: run a guest and profile it.

mod finish;
mod outputs;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use wasmtime::{Engine, Store};

use super::messages::{Color, Messages};
use super::progress::Progress;
use crate::guest::{self, Code, Ending, GuestOptions, GuestState};
use crate::heap::find::Asked;
use crate::heap::grow::Growth;
use crate::heap::prepare::Prepared;
use crate::heap::probe::{Probe, Sampling};
use crate::heap::rewrite::AddressMap;
use crate::heap::{self, HeapHooks};
use crate::measure::Handle;
use crate::sample::epoch::{EpochSampler, Watch};
use crate::stats;
use crate::supervise::{Report, Reporter, Supervisor, WhileWaiting};
use finish::Finished;

/// Options of `wprof run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The guest's input, output and exit code are its own; wprof writes cpu.prof and heap.prof when it ends, however it ends.
Exit codes beside the guest's: 134 after a trap, 124 after --timeout, 130 after Ctrl-C, 143 after SIGTERM.

  wprof run app.wasm arg1 arg2
  wprof run --dir data::/data --hz 1000 -o profiles app.wasm
  CARGO_TARGET_WASM32_WASIP1_RUNNER=\"wprof run\" cargo test --target wasm32-wasip1")]
pub struct Opts {
    #[command(flatten)]
    outputs: outputs::Opts,

    /// CPU samples a second, 1 to 10000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hz: u32,

    /// How CPU samples are taken.
    #[arg(long, value_enum, default_value_t = Sampler::Auto)]
    sampler: Sampler,

    /// Mean bytes between two allocations that are looked at; 1 looks at all, 0 at none.
    #[arg(long, value_name = "BYTES", default_value_t = 524_288)]
    memprofilerate: u64,

    /// Repeat the choices of another run, for heap samples.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Treat this function as an allocator too; KIND says which it is like: malloc, free, realloc …
    #[arg(long = "alloc", value_name = "NAME[=KIND]", value_parser = parse_asked)]
    allocs: Vec<Asked>,

    /// End the guest after this much time, such as 5s, 300ms or 2m; profiles are written, exit code 124.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Open the viewer when the guest has ended.
    #[arg(long)]
    view: bool,

    /// Say nothing but errors.
    #[arg(long)]
    quiet: bool,

    /// No line while a long compile goes on.
    #[arg(long)]
    no_progress: bool,

    /// Colour in messages.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,

    #[command(flatten)]
    guest: GuestOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sampler {
    /// The best that this machine allows.
    Auto,
    /// wasmtime's epoch interruption.
    Epoch,
}

/// Runs the guest; the process's exit code is the guest's.
///
/// # Errors
///
/// When the guest could not be started. What goes wrong after that is printed and decides the exit code.
pub fn run(mut opts: Opts) -> anyhow::Result<ExitCode> {
    let process_start = Instant::now();
    let messages = Messages::new(opts.quiet, opts.color);
    let outputs = opts.outputs.paths(opts.memprofilerate)?;
    let (config, cache) = opts.guest.engine_config()?;
    let engine = Engine::new(&config).map_err(anyhow::Error::from).context("failed to set up wasmtime")?;
    let bytes = Arc::new(guest::read_wasm(opts.guest.module())?);
    let module_path = opts.guest.module().to_owned();
    let mut prepared = match outputs.looks_at_allocations() {
        true => heap::prepare::prepare(&bytes, &opts.allocs)
            .with_context(|| format!("failed to find the allocator of {}", module_path.display()))?,
        false => Prepared::default(),
    };

    let supervisor = Supervisor::new(opts.timeout).context("failed to watch for signals")?;
    let progress = (!opts.no_progress && !opts.quiet).then(|| {
        let mb = bytes.len() as f64 / 1e6;
        Progress::new(format!("compiling {} ({mb:.1} MB), kept for the next run", module_path.display()), messages)
    });
    let hz = if outputs.cpu.is_some() { opts.hz } else { 0 };
    let sampling = Sampling { rate: opts.memprofilerate, seed: opts.seed };
    let reporter = supervisor.reporter();
    let (view, stack) = (opts.view, opts.guest.thread_stack());
    let guest = GuestThread {
        engine,
        original: Arc::clone(&bytes),
        rewritten: prepared.rewritten.take(),
        n_rewritten: prepared.n_rewritten,
        map: prepared.map.clone(),
        hooks: prepared.is_hooked().then(|| HeapHooks {
            armed: prepared.armed.clone(),
            imports: prepared.imports.clone(),
            probe: Probe::new(sampling, prepared.no_frees.is_none()),
        }),
        options: opts.guest,
        hz,
        messages,
    };
    let guest = std::thread::Builder::new()
        .name("guest".to_owned())
        .stack_size(stack)
        .spawn(move || guest.run(&reporter))
        .context("failed to start the guest's thread")?;

    let outcome = supervisor.wait(MaybeProgress(progress))?;
    let ended = Instant::now();
    drop(guest);
    if let Some(text) = &outcome.message {
        messages.guest_error(text);
    }
    let was_entered = outcome.measured.cpu.first_entry.is_some();
    if !was_entered && outcome.message.is_none() {
        messages.note("nothing was run: the module has no `_start`; name an export with --invoke");
    }
    let cache_hits = cache.as_ref().map(wasmtime::Cache::cache_hits);
    if let Err(error) = stats::write(&outcome.measured, prepared.took, process_start, ended, cache_hits) {
        messages.error(&format!("{error:#}"));
    }
    let mut exit_code = outcome.exit_code;
    // A guest that was never entered leaves earlier profiles alone.
    if was_entered {
        let finished = Finished {
            bytes: &bytes,
            path: &module_path,
            hz,
            rate: opts.memprofilerate,
            ended,
            measured: &outcome.measured,
            prepared: &prepared,
            messages,
        };
        let written = finished.write(&outputs);
        if written.is_whole && view && !written.files.is_empty() {
            // Nobody supervises any more, so that Ctrl-C ends the viewer.
            drop(supervisor);
            return super::view::serve(&written.files, messages);
        }
        if !written.is_whole && exit_code == 0 {
            exit_code = 1;
        }
    }
    // The guest may still sit in a host call; leaving by the front door ends its thread too.
    std::process::exit(exit_code)
}

/// What the guest's thread needs.
struct GuestThread {
    engine: Engine,
    original: Arc<Vec<u8>>,
    rewritten: Option<Vec<u8>>,
    n_rewritten: usize,
    map: AddressMap,
    hooks: Option<HeapHooks>,
    options: GuestOptions,
    hz: u32,
    messages: Messages,
}

impl GuestThread {
    fn run(mut self, reporter: &Reporter) {
        let growth = Arc::new(Growth::default());
        let prepared = self.compile().and_then(|code| {
            let heap = self.hooks.as_ref().map(|hooks| hooks.probe.clone());
            let watch = Watch { growth: Arc::clone(&growth), heap };
            let mut store = Store::new(&self.engine, GuestState::new(&self.options, &watch, self.n_rewritten)?);
            let sampler = EpochSampler::attach(&mut store, self.hz, watch).context("failed to start the sampler")?;
            Ok((code, store, sampler))
        });
        let (code, mut store, sampler) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return reporter.send(Report::Failed(error)),
        };
        let heap = self.hooks.as_ref().map(|hooks| hooks.probe.clone());
        let handle = Handle { cpu: sampler.handle(), heap, growth };
        reporter.send(Report::Attached(handle.clone()));
        let ending = Ending::of(guest::start(&mut store, &code, &self.options, self.hooks.as_ref()), &self.map);
        if let Some(heap) = &handle.heap {
            heap.free_queued(&mut store);
        }
        let measured = Box::new(handle.with_cpu(sampler.finish()));
        reporter.send(Report::Ended(ending, measured));
        // The process exits from the other thread; unmapping the guest's memory first would only take time.
        std::mem::forget((store, code));
    }

    /// The rewritten file; where wasmtime refuses that (features that it needs may be turned off), the original.
    fn compile(&mut self) -> anyhow::Result<Code> {
        let module = self.options.module();
        if let Some(rewritten) = self.rewritten.take() {
            match guest::compile(&self.engine, &rewritten, module) {
                Ok(code) => return Ok(code),
                Err(error) => {
                    let code = guest::compile(&self.engine, &self.original, module)?;
                    let reason = error.root_cause();
                    self.messages
                        .warn(&format!("{}: no heap profile, as it cannot be rewritten: {reason}", module.display()));
                    (self.hooks, self.n_rewritten, self.map) = (None, 0, AddressMap::default());
                    return Ok(code);
                }
            }
        }
        guest::compile(&self.engine, &self.original, module)
    }
}

/// `NAME[=KIND]`. Names of functions may hold `=`, as in `operator=`; kinds are plain words.
fn parse_asked(text: &str) -> Result<Asked, std::convert::Infallible> {
    let is_kind = |kind: &str| !kind.is_empty() && kind.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    Ok(match text.rsplit_once('=') {
        Some((name, kind)) if !name.is_empty() && is_kind(kind) => {
            Asked { name: name.to_owned(), like: Some(kind.to_owned()) }
        }
        _ => Asked { name: text.to_owned(), like: None },
    })
}

/// Go's notation for durations: a number and a unit.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: f64 = digits.parse().map_err(|_not_a_number| "expected a number and a unit, such as 5s".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1e3,
        "s" | "" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        unit => return Err(format!("unknown unit {unit:?}: expected ms, s, m or h")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A progress line, unless the user wants none.
struct MaybeProgress(Option<Progress>);

impl WhileWaiting for MaybeProgress {
    fn due(&self) -> Option<Instant> {
        self.0.as_ref().and_then(Progress::due)
    }

    fn act(&mut self) {
        if let Some(progress) = &mut self.0 {
            progress.show();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_duration;
    use std::time::Duration;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        assert_eq!(parse_duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse_duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("2"), Ok(Duration::from_secs(2)));
        for wrong in ["", "s", "5 parsecs", "-1s", "1d", "1e400s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
