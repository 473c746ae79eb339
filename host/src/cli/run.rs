//! `wprof run`: run a guest and profile it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};
use wasmtime::{Engine, Store};

use super::messages::{Color, Messages};
use super::progress::Progress;
use crate::guest::{self, Ending, GuestOptions, GuestState};
use crate::record::{self, Run};
use crate::sample::epoch::{EpochSampler, Measured};
use crate::supervise::{Outcome, Report, Reporter, Supervisor, WhileWaiting};
use crate::{report, sink, stats, symbols};

/// Rows of the table that is printed after a run.
const SUMMARY_ROWS: usize = 10;

/// Characters of a row of that table.
const MAX_ROW: usize = 120;

/// Options of `wprof run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The guest's input, output and exit code are its own; wprof writes cpu.prof when it ends, however it ends.
Exit codes beside the guest's: 134 after a trap, 124 after --timeout, 130 after Ctrl-C, 143 after SIGTERM.

  wprof run app.wasm arg1 arg2
  wprof run --dir data::/data --hz 1000 -o profiles app.wasm
  CARGO_TARGET_WASM32_WASIP1_RUNNER=\"wprof run\" cargo test --target wasm32-wasip1")]
pub struct Opts {
    /// Where profiles land.
    #[arg(short = 'o', long, value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,

    /// Write the CPU profile to this file instead of cpu.prof in the output folder.
    #[arg(long, value_name = "FILE", conflicts_with = "no_cpu")]
    cpuprofile: Option<PathBuf>,

    /// Take no CPU profile.
    #[arg(long)]
    no_cpu: bool,

    /// CPU samples a second, 1 to 10000.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    hz: u32,

    /// How CPU samples are taken.
    #[arg(long, value_enum, default_value_t = Sampler::Auto)]
    sampler: Sampler,

    /// End the guest after this much time, such as 5s, 300ms or 2m; profiles are written, exit code 124.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Open the viewer when the guest has ended.
    #[arg(long, conflicts_with = "no_cpu")]
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
    let cpu_path = opts.cpu_path()?;
    let (config, cache) = opts.guest.engine_config()?;
    let engine = Engine::new(&config).map_err(anyhow::Error::from).context("failed to set up wasmtime")?;
    let bytes = Arc::new(guest::read_wasm(opts.guest.module())?);
    let module_path = opts.guest.module().to_owned();

    let supervisor = Supervisor::new(opts.timeout).context("failed to watch for signals")?;
    let progress = (!opts.no_progress && !opts.quiet).then(|| {
        let mb = bytes.len() as f64 / 1e6;
        Progress::new(format!("compiling {} ({mb:.1} MB), kept for the next run", module_path.display()), messages)
    });
    let hz = if opts.no_cpu { 0 } else { opts.hz };
    let reporter = supervisor.reporter();
    let guest_bytes = Arc::clone(&bytes);
    let (view, stack) = (opts.view, opts.guest.thread_stack());
    let guest = std::thread::Builder::new()
        .name("guest".to_owned())
        .stack_size(stack)
        .spawn(move || run_guest(&engine, &guest_bytes, &opts.guest, hz, &reporter))
        .context("failed to start the guest's thread")?;

    let outcome = supervisor.wait(MaybeProgress(progress))?;
    let ended = Instant::now();
    drop(guest);
    if let Some(text) = &outcome.message {
        messages.guest_error(text);
    }
    if outcome.measured.first_entry.is_none() && outcome.message.is_none() {
        messages.note("nothing was run: the module has no `_start`; name an export with --invoke");
    }
    let cache_hits = cache.as_ref().map(wasmtime::Cache::cache_hits);
    if let Err(error) = stats::write(&outcome.measured, process_start, ended, cache_hits) {
        messages.error(&format!("{error:#}"));
    }
    let mut exit_code = outcome.exit_code;
    // A guest that was never entered leaves an earlier profile alone.
    if let Some(cpu_path) = cpu_path.as_ref().filter(|_| outcome.measured.first_entry.is_some()) {
        let written =
            Finished { bytes: &bytes, path: &module_path, hz, ended, outcome: &outcome }.write_cpu(cpu_path, messages);
        match written {
            Ok(()) if view => {
                // Nobody supervises any more, so that Ctrl-C ends the viewer.
                drop(supervisor);
                return super::view::serve(std::slice::from_ref(cpu_path), messages);
            }
            Ok(()) => {}
            Err(error) => {
                messages.error(&format!("{error:#}"));
                exit_code = if exit_code == 0 { 1 } else { exit_code };
            }
        }
    }
    // The guest may still sit in a host call; leaving by the front door ends its thread too.
    std::process::exit(exit_code)
}

/// The guest's thread.
fn run_guest(engine: &Engine, bytes: &[u8], options: &GuestOptions, hz: u32, reporter: &Reporter) {
    let prepared = guest::compile(engine, bytes, options.module()).and_then(|code| {
        let mut store = Store::new(engine, GuestState::new(options)?);
        let sampler = EpochSampler::attach(&mut store, hz).context("failed to start the sampler")?;
        Ok((code, store, sampler))
    });
    let (code, mut store, sampler) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return reporter.send(Report::Failed(error)),
    };
    reporter.send(Report::Attached(sampler.handle()));
    let ending = Ending::of(guest::start(&mut store, &code, options));
    let measured = Box::new(sampler.finish());
    reporter.send(Report::Ended(ending, measured));
    // The process exits from the other thread; unmapping the guest's memory first would only take time.
    std::mem::forget((store, code));
}

/// A run that is over, to be written.
struct Finished<'a> {
    bytes: &'a [u8],
    path: &'a std::path::Path,
    hz: u32,
    ended: Instant,
    outcome: &'a Outcome,
}

impl Finished<'_> {
    fn write_cpu(&self, cpu_path: &std::path::Path, messages: Messages) -> anyhow::Result<()> {
        let Measured { samples, guest_cpu, first_entry } = &self.outcome.measured;
        let duration = first_entry.map_or(Duration::ZERO, |entry| self.ended.saturating_duration_since(entry));
        let debug_info = self.read_debug_info(messages);
        let run = Run {
            path: self.path,
            bytes: self.bytes,
            debug_info: debug_info.as_deref(),
            hz: self.hz,
            started: SystemTime::now().checked_sub(self.ended.elapsed() + duration).unwrap_or_else(SystemTime::now),
            duration,
        };
        let (profile, warnings) = record::cpu_profile(samples, &run);
        sink::file::write_whole(cpu_path, &proto::encode_gzip(&profile))?;
        for warning in &warnings {
            messages.warn(&format!("{}: {warning}", self.path.display()));
        }
        let cpu = Duration::from_nanos(*guest_cpu);
        messages.note(&format!(
            "{} samples at {} Hz; the guest used {cpu:.2?} of CPU in {duration:.2?}",
            samples.n_ticks(),
            self.hz
        ));
        if samples.n_lost() > 0 {
            messages.note(&format!("{} samples have no stack and stand under [lost samples]", samples.n_lost()));
        }
        if samples.n_ticks() > 0 {
            let rows = report::summary_rows(&profile, SUMMARY_ROWS);
            messages.block(&rows.iter().map(|row| cut(row)).collect::<Vec<_>>().join("\n"));
        }
        messages.note(&format!("wrote {0}; open it with: wprof view {0}", cpu_path.display()));
        Ok(())
    }

    /// The file beside the module that an `external_debug_info` section names.
    fn read_debug_info(&self, messages: Messages) -> Option<Vec<u8>> {
        let name = symbols::external_debug_info(self.bytes)?;
        let path = self.path.with_file_name(name);
        match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                messages.warn(&format!("debug info in {} is not used: {error}", path.display()));
                None
            }
        }
    }
}

impl Opts {
    /// Where the CPU profile goes; `None` without one. Asked before the guest runs, so that a mistake costs nothing.
    fn cpu_path(&self) -> anyhow::Result<Option<PathBuf>> {
        if self.no_cpu {
            return Ok(None);
        }
        let path = match &self.cpuprofile {
            Some(path) if path.as_os_str() == "-" => {
                bail!("--cpuprofile - is refused: standard output belongs to the guest; give a file name")
            }
            Some(path) => path.clone(),
            None => {
                std::fs::create_dir_all(&self.output_dir)
                    .with_context(|| format!("failed to make the output folder {}", self.output_dir.display()))?;
                self.output_dir.join("cpu.prof")
            }
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            bail!("{} cannot be written: there is no folder {}", path.display(), folder.display());
        }
        // `./cpu.prof` reads better without its dot.
        Ok(Some(path.strip_prefix(".").map_or(path.clone(), std::path::Path::to_owned)))
    }
}

/// Names may be of any length; `wprof top` shows them whole.
fn cut(row: &str) -> String {
    match row.char_indices().nth(MAX_ROW) {
        Some((end, _)) => format!("{}…", &row[..end]),
        None => row.to_owned(),
    }
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
