//! `wprof run`: run a guest and profile it.

mod finish;
mod http;
mod outputs;
mod stack;
mod thread;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::messages::{Color, Messages};
use super::progress::Progress;
use crate::guest::{self, GuestOptions};
use crate::heap::find::Asked;
use crate::heap::prepare::Prepared;
use crate::heap::probe::{Probe, Sampling};
use crate::heap::{self, HeapHooks};
use crate::registry::{CpuOptions, HeapFacts, Registry};
use crate::stats;
use crate::supervise::{Outcome, Supervisor, WhileWaiting};
use finish::Finished;
use thread::GuestThread;

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

    #[command(flatten)]
    http: http::Opts,

    /// CPU samples a second, 1 to 10000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hz: u32,

    /// How CPU samples are taken.
    #[arg(long, value_enum, default_value_t = Sampler::Auto)]
    sampler: Sampler,

    /// Add a column of wall time, in which waiting counts.
    #[arg(long, conflicts_with = "no_cpu")]
    wall: bool,

    /// Mean bytes between two allocations that are looked at; 1 looks at all, 0 at none.
    #[arg(long, value_name = "BYTES", default_value_t = 524_288)]
    memprofilerate: u64,

    /// Waits of at least this many nanoseconds are all in the block profile, shorter ones are sampled; 1 takes all; 0, or
    /// without --blockprofile, none, unless the guest asks for them.
    #[arg(long, value_name = "NS")]
    blockprofilerate: Option<u32>,

    /// Of how many waits for the guest's locks one is in the mutex profile; 0, or without --mutexprofile, none, unless the
    /// guest asks for them.
    #[arg(long, value_name = "N")]
    mutexprofilefraction: Option<u32>,

    /// Repeat the choices of another run, for heap samples.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Treat this function as an allocator too; KIND says which it is like: malloc, free, realloc …
    #[arg(long = "alloc", value_name = "NAME[=KIND]", value_parser = parse_asked)]
    allocs: Vec<Asked>,

    /// End the guest after this much time, such as 5s, 300ms or 2m; profiles are written, exit code 124.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Leave names, files and lines out of profiles: they are smaller, and whoever reads them from --http asks there for
    /// names.
    #[arg(long)]
    strip_symbols: bool,

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
    /// By signals where that works, else by epochs.
    Auto,
    /// wasmtime's epoch interruption: works everywhere, sees the guest at function entries and loop heads only.
    Epoch,
    /// A timer that interrupts the guest's thread: true to the instruction; Linux on x86-64 and aarch64.
    Signal,
}

/// Runs the guest; the process's exit code is the guest's.
///
/// # Errors
///
/// When the guest could not be started. What goes wrong after that is printed and decides the exit code.
pub fn run(mut opts: Opts) -> anyhow::Result<ExitCode> {
    let process_start = Instant::now();
    let messages = Messages::new(opts.quiet, opts.color);
    let outputs = opts.outputs.paths(opts.memprofilerate, opts.http.is_on())?;
    let (config, cache) = opts.guest.engine_config()?;
    let bytes = Arc::new(guest::read_wasm(opts.guest.module())?);
    let module_path = opts.guest.module().to_owned();
    let mut prepared = match outputs.looks_at_allocations() {
        true => heap::prepare::prepare(&bytes, &opts.allocs)
            .with_context(|| format!("failed to find the allocator of {}", module_path.display()))?,
        // The guest, or a client, may want them later.
        false if outputs.waits_are_wanted() || opts.http.is_on() => heap::prepare::prepare_threads(&bytes),
        false => Prepared::default(),
    };

    // Before the guest begins, so that a port that is taken costs nothing.
    let cpu = CpuOptions { hz: opts.hz, has_wall: opts.wall };
    let http = opts.http.start(&opts.guest, cpu, messages)?;
    let supervisor = Supervisor::new(opts.timeout).context("failed to watch for signals")?;
    let progress = progress(&opts, bytes.len(), messages);
    let hz = if outputs.cpu.is_some() { opts.hz } else { 0 };
    let sampling = Sampling { rate: opts.memprofilerate, seed: opts.seed };
    let reporter = supervisor.reporter();
    let (view, stack) = (opts.view, opts.guest.thread_stack());
    let guest = GuestThread {
        config,
        sampler: opts.sampler,
        has_wall: opts.wall,
        // The memory profile is what is written where no allocator is known.
        watches_memory: outputs.looks_at_allocations() || outputs.memory.is_some() || http.is_some(),
        original: bytes,
        rewritten: prepared.rewritten.take(),
        n_rewritten: prepared.n_rewritten,
        map: prepared.map.clone(),
        hooks: (prepared.is_hooked() || prepared.armed.is_some()).then(|| hooks(&prepared, sampling)),
        is_hooked: prepared.is_hooked(),
        wants_blocks: outputs.looks_at_allocations(),
        sampling,
        strips_symbols: opts.strip_symbols,
        facts: HeapFacts::of(&prepared, opts.memprofilerate),
        block_rate: rate(opts.blockprofilerate, outputs.block.is_some()).into(),
        mutex_fraction: rate(opts.mutexprofilefraction, outputs.mutex.is_some()),
        options: Arc::new(opts.guest),
        guests: http.as_ref().map(http::Http::guests),
        hz,
        messages,
    };
    let guest = std::thread::Builder::new()
        .name("guest".to_owned())
        .stack_size(stack)
        .spawn(move || guest.run(&reporter))
        .context("failed to start the guest's thread")?;

    let show = |registry: &Registry| stack::show(registry, messages);
    let outcome = supervisor.wait(MaybeProgress(progress), show)?;
    let ended = Instant::now();
    drop(guest);
    http.iter().for_each(http::Http::end_guest);
    let was_entered = outcome.measured.cpu.first_entry.is_some();
    say_how_it_ended(&outcome, was_entered, messages);
    let cache_hits = cache.as_ref().map(wasmtime::Cache::cache_hits);
    if let Err(error) = stats::write(&outcome.measured, hz, prepared.took, process_start, ended, cache_hits) {
        messages.error(&format!("{error:#}"));
    }
    let mut exit_code = outcome.exit_code;
    // A guest that was never entered leaves earlier profiles alone.
    if was_entered {
        let finished = Finished {
            registry: &outcome.registry,
            cpu,
            ended,
            measured: &outcome.measured,
            notes: &prepared.notes,
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
    http.into_iter().for_each(|it| it.finish(&supervisor, &outcome));
    // The guest may still sit in a host call; leaving by the front door ends its thread too.
    std::process::exit(exit_code)
}

/// What was given; else, as with `go test`, who wants a profile wants all of it.
fn rate(given: Option<u32>, is_wanted: bool) -> i32 {
    given.map_or(i32::from(is_wanted), |rate| i32::try_from(rate).unwrap_or(i32::MAX))
}

/// What is put into a guest's allocator.
fn hooks(prepared: &Prepared, sampling: Sampling) -> HeapHooks {
    HeapHooks {
        armed: prepared.armed.clone(),
        imports: prepared.imports.clone(),
        probe: Probe::new(sampling, prepared.no_frees.is_none()),
    }
}

fn say_how_it_ended(outcome: &Outcome, was_entered: bool, messages: Messages) {
    if let Some(text) = &outcome.message {
        messages.guest_error(text);
    } else if !was_entered {
        messages.note("nothing was run: the module has no `_start`; name an export with --invoke");
    }
}

/// The line that is shown while a long compile goes on.
fn progress(opts: &Opts, n_bytes: usize, messages: Messages) -> Option<Progress> {
    let mb = n_bytes as f64 / 1e6;
    let what = format!("compiling {} ({mb:.1} MB), kept for the next run", opts.guest.module().display());
    (!opts.no_progress && !opts.quiet).then(|| Progress::new(what, messages))
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
