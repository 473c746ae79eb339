//! A guest that works, and how well it gets on.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a guest may take to be compiled and to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the guest has said: nanoseconds by its clock, and units of work.
type Said = Arc<Mutex<Vec<(u64, u64)>>>;

/// Of some time.
pub(super) struct Measured {
    /// Units of work a second.
    pub(super) pace: f64,
    /// Of a core.
    pub(super) core: f64,
}

/// wprof at work; ended when dropped.
pub(super) struct Guest {
    child: Child,
    said: Said,
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until that is so.
///
/// # Errors
///
/// When it does not come to be.
pub(super) fn wait_until(what: &str, is_so: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        ensure!(Instant::now() < deadline, "for {} s it has not come to be that {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

impl Guest {
    /// `wprof run --http=ADDRESS` and these arguments.
    pub(super) fn start(wprof: &Path, folder: &Path, address: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(wprof);
        command.current_dir(folder).args(["run", "--quiet", &format!("--http={address}")]).args(args);
        let mut child = command.stdout(Stdio::piped()).spawn().context("failed to start wprof")?;
        let mut stdout = child.stdout.take().context("it has no standard output")?;
        let said = Said::default();
        let guest = Self { child, said: Arc::clone(&said) };
        std::thread::spawn(move || {
            let mut record = [0; 16];
            while stdout.read_exact(&mut record).is_ok() {
                let (time, count) = record.split_at(8);
                let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
                said.lock().unwrap_or_else(PoisonError::into_inner).push((number(time), number(count)));
            }
        });
        Ok(guest)
    }

    /// Waits until it works.
    pub(super) fn wait_until_it_works(&self) -> Result<()> {
        wait_until("the guest works", || self.pace_since(0).is_some())
    }

    fn n_said(&self) -> usize {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Units of work a second in what the guest has said from this record on; `None` while that is less than two records.
    fn pace_since(&self, first: usize) -> Option<f64> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let [(from, before), .., (to, after)] = said.get(first..)? else { return None };
        Some((after - before) as f64 / ((to - from) as f64 / 1e9))
    }

    /// How it gets on while something else is done.
    pub(super) fn during<T>(&self, act: impl FnOnce() -> Result<T>) -> Result<(Measured, T)> {
        let (first, began, used) = (self.n_said(), Instant::now(), self.cpu_nanos()?);
        let result = act()?;
        let core = (self.cpu_nanos()? - used) as f64 / began.elapsed().as_nanos() as f64;
        let pace = self.pace_since(first).context("the guest was not heard of for so long that it has no pace")?;
        Ok((Measured { pace, core }, result))
    }

    /// How long the guest's thread has had a core.
    fn cpu_nanos(&self) -> Result<u64> {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", self.child.id())).context("threads are read on Linux only")?;
        for task in tasks {
            let task = task?.path();
            if std::fs::read_to_string(task.join("comm"))?.trim() == "guest" {
                let stat = std::fs::read_to_string(task.join("schedstat"))?;
                return stat
                    .split(' ')
                    .next()
                    .and_then(|it| it.parse().ok())
                    .context("schedstat begins with no number");
            }
        }
        bail!("wprof has no thread named guest")
    }
}
