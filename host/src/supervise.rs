//! Watching over a guest's run: it ends by itself, by a signal, or by a timeout, and in each case what was measured
//! comes out.
//!
//! The guest has a thread of its own. This thread waits for it, for signals and for the clock. A guest that is to end
//! traps at its next instruction, or epoch check; one that sits in a host call and does not come back within a moment is left
//! there: its samples are taken from here and the process exits under it.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::guest::{EXIT_TIMEOUT, Ending};
use crate::measure::Measured;
use crate::registry::Registry;

/// How long a guest that is asked to end may take to trap. Guest code does within milliseconds,
/// so whoever needs longer is in a host call that waits.
const GRACE: Duration = Duration::from_millis(300);

/// What Rust programs exit with after a panic.
const EXIT_PANIC: i32 = 101;

/// What the guest's thread reports.
#[derive(Debug)]
pub enum Report {
    /// The code is compiled and the sampler attached; the guest is about to run.
    Attached(Registry),
    /// The guest has ended by itself, or was stopped at an epoch check.
    Ended(Ending, Box<Measured>),
    /// It never started.
    Failed(anyhow::Error),
    /// Its thread panicked: a fault of wprof's or of wasmtime's, which has been printed.
    Panicked,
}

/// How the run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The guest's profiles.
    pub registry: Registry,
    /// What was measured.
    pub measured: Measured,
    /// The process's exit code.
    pub exit_code: i32,
    /// What is to be said about it on stderr.
    pub message: Option<String>,
    /// Whether a signal has asked for it.
    pub by_signal: bool,
}

/// Why the guest is asked to end.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Signal(i32),
    Timeout(Duration),
}

impl Cause {
    fn exit_code(self) -> i32 {
        match self {
            // As shells report a process that a signal has ended.
            Self::Signal(signal) => 128 + signal,
            Self::Timeout(_) => EXIT_TIMEOUT,
        }
    }

    fn message(self) -> String {
        match self {
            Self::Signal(SIGINT) => "wprof: the guest was ended by Ctrl-C".to_owned(),
            Self::Signal(signal) => format!("wprof: the guest was ended by signal {signal}"),
            Self::Timeout(after) => format!("wprof: the guest was ended after its timeout of {after:?}"),
        }
    }
}

enum Event {
    Report(Report),
    Signal(i32),
}

/// Waits for one run.
#[derive(Debug)]
pub struct Supervisor {
    events: Receiver<Event>,
    sender: Sender<Event>,
    timeout: Option<Duration>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Report(report) => report.fmt(f),
            Self::Signal(signal) => write!(f, "Signal({signal})"),
        }
    }
}

/// Where the guest's threads send their reports.
#[derive(Debug, Clone)]
pub struct Reporter(Sender<Event>);

/// Reports a panic of the thread that drops it, so that nobody waits for a guest that is gone.
impl Drop for Reporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.send(Report::Panicked);
        }
    }
}

impl Reporter {
    /// Sends one. Nobody listening means that the process is about to exit.
    pub fn send(&self, report: Report) {
        drop(self.0.send(Event::Report(report)));
    }
}

/// Something to be done while waiting, once.
pub trait WhileWaiting {
    /// When to call [`WhileWaiting::act`]; `None` for never.
    fn due(&self) -> Option<Instant>;
    /// Called once that moment has passed.
    fn act(&mut self);
}

impl Supervisor {
    /// Begins to listen for Ctrl-C, SIGTERM and SIGHUP, and for Ctrl-\\, which asks where the guest is.
    ///
    /// # Errors
    ///
    /// When the system refuses the handlers or a thread.
    pub fn new(timeout: Option<Duration>) -> std::io::Result<Self> {
        let (sender, events) = mpsc::channel();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        let forward = sender.clone();
        std::thread::Builder::new().name("wprof-signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if forward.send(Event::Signal(signal)).is_err() {
                    // The run is over and nobody supervises: the signal means what it always does.
                    std::process::exit(128 + signal);
                }
            }
        })?;
        Ok(Self { events, sender, timeout })
    }

    /// The guest thread's end of the line.
    #[must_use]
    pub fn reporter(&self) -> Reporter {
        Reporter(self.sender.clone())
    }

    /// Waits until the run is over. `until_attached` is dropped when the guest begins, `show` is to print where it is.
    ///
    /// # Errors
    ///
    /// When the guest could not be started, or its thread was lost.
    pub fn wait<W: WhileWaiting>(&self, until_attached: W, show: impl Fn(&Registry)) -> anyhow::Result<Outcome> {
        let mut waiting = Some(until_attached);
        let mut guest: Option<Registry> = None;
        let mut deadline: Option<Instant> = None;
        let mut cause: Option<Cause> = None;
        loop {
            let due = waiting.as_ref().and_then(WhileWaiting::due);
            match self.next_event([due, deadline].into_iter().flatten().min()) {
                Some(Event::Report(Report::Failed(error))) => return Err(error),
                Some(Event::Report(Report::Ended(ending, measured))) => match guest {
                    Some(registry) => return Ok(Outcome::of_ended(registry, &ending, cause, *measured)),
                    None => anyhow::bail!("the guest has ended before it began"),
                },
                Some(Event::Report(Report::Panicked)) => match guest {
                    Some(registry) => return Ok(Outcome::panicked(registry)),
                    None => anyhow::bail!("the guest's thread panicked before the guest began"),
                },
                Some(Event::Report(Report::Attached(attached))) => {
                    waiting = None;
                    guest = Some(attached);
                    deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
                }
                Some(Event::Signal(SIGQUIT)) => match (&guest, cause) {
                    (Some(registry), None) => show(registry),
                    (Some(_), Some(_)) => {}
                    (None, _) => std::process::exit(128 + SIGQUIT),
                },
                Some(Event::Signal(signal)) => match (&guest, cause) {
                    (Some(registry), None) => {
                        cause = Some(Cause::Signal(signal));
                        registry.handle().end_guest();
                        deadline = Instant::now().checked_add(GRACE);
                    }
                    // Nothing is measured yet, or the user insists.
                    _ => std::process::exit(128 + signal),
                },
                None if due.is_some_and(|due| due <= Instant::now()) => {
                    if let Some(waiting) = &mut waiting {
                        waiting.act();
                    }
                }
                None => match (&guest, cause) {
                    (Some(registry), None) => {
                        cause = Some(Cause::Timeout(self.timeout.unwrap_or_default()));
                        registry.handle().end_guest();
                        deadline = Instant::now().checked_add(GRACE);
                    }
                    (Some(registry), Some(cause)) => return Ok(Outcome::abandoned(registry.clone(), cause)),
                    (None, _) => {}
                },
            }
        }
    }

    /// Waits for a signal that ends programs; to be called when the run is over.
    pub fn wait_for_signal(&self) {
        while !matches!(self.next_event(None), Some(Event::Signal(signal)) if signal != SIGQUIT) {}
    }

    /// `None` when the moment came first.
    fn next_event(&self, until: Option<Instant>) -> Option<Event> {
        // We hold a sender ourselves, so the channel cannot be closed.
        match until {
            None => self.events.recv().ok(),
            Some(until) => self.events.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
        }
    }
}

impl Outcome {
    fn of_ended(registry: Registry, ending: &Ending, cause: Option<Cause>, measured: Measured) -> Self {
        let by_signal = matches!(cause, Some(Cause::Signal(_)));
        let (exit_code, message) = match (ending, cause) {
            (Ending::Stopped, Some(cause)) => (cause.exit_code(), Some(cause.message())),
            _ => (ending.code(), ending.message().map(str::to_owned)),
        };
        Self { registry, measured, exit_code, message, by_signal }
    }

    fn panicked(registry: Registry) -> Self {
        let message = "wprof: the guest's thread panicked; what was measured until then is kept".to_owned();
        Self { measured: registry.take(), registry, exit_code: EXIT_PANIC, message: Some(message), by_signal: false }
    }

    fn abandoned(registry: Registry, cause: Cause) -> Self {
        let (message, by_signal) = (Some(cause.message()), matches!(cause, Cause::Signal(_)));
        Self { measured: registry.take(), registry, exit_code: cause.exit_code(), message, by_signal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl WhileWaiting for Nothing {
        fn due(&self) -> Option<Instant> {
            None
        }

        fn act(&mut self) {}
    }

    #[test]
    fn a_lost_thread_is_not_waited_for() {
        let supervisor = Supervisor::new(None).unwrap();
        let reporter = supervisor.reporter();
        // The closure owns the reporter, as in `wprof run`, and is dropped by the panic.
        let guest = std::thread::spawn(move || panic!("asked to, with {reporter:?}"));
        let error = supervisor.wait(Nothing, |_| {}).unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        let outcome: std::thread::Result<()> = guest.join();
        assert!(outcome.is_err());
    }
}
