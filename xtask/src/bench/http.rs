//! `cargo xtask bench http`: what it costs a guest that its profiles are asked for, by its own count of its work and by the time
//! that the system lets it have a core; and how fast they are answered.
//!
//! Where machines are shared, a guest's pace may halve by itself from one second to the next; the share of a core does not.
//!
//! The clients are on this machine, but give way to the guest and to wprof, as those of a real one would be elsewhere.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use proto::{Limits, decode};
use support::http::Server;

use super::spread::Spread;
use crate::project::{Project, say};

const GUEST: &str = include_str!("paced.wat");
/// Another than that of the profiler's tests may be in use.
const ADDRESS: &str = "127.0.0.1:6068";
const TURNS: usize = 10;
const REQUESTS: usize = 1000;
const CLIENTS: usize = 16;
/// How long the guest is left alone in each turn.
const PAUSE: Duration = Duration::from_secs(2);
/// How long it may take to be compiled and to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the guest has said: nanoseconds by its clock, and units of work.
type Said = Arc<Mutex<Vec<(u64, u64)>>>;

/// Of some time.
struct Measured {
    /// Units of work a second.
    pace: f64,
    /// Of a core.
    core: f64,
}

/// Ended when dropped.
struct Guest {
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

pub(super) fn run(project: &Project, flags: &[String]) -> Result<()> {
    let folder = project.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("paced.wat"), GUEST)?;
    let mut command = Command::new(project.wprof());
    command.current_dir(&folder).args(["run", "--quiet", &format!("--http={ADDRESS}")]).args(flags).arg("paced.wat");
    let mut child = command.stdout(Stdio::piped()).spawn().context("failed to start wprof")?;
    let mut stdout = child.stdout.take().context("it has no standard output")?;
    let said = Said::default();
    let guest = Guest { child, said: Arc::clone(&said) };
    std::thread::spawn(move || {
        let mut record = [0; 16];
        while stdout.read_exact(&mut record).is_ok() {
            let (time, count) = record.split_at(8);
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            said.lock().unwrap_or_else(PoisonError::into_inner).push((number(time), number(count)));
        }
    });
    let deadline = Instant::now() + PATIENCE;
    while guest.pace_since(0).is_none() {
        ensure!(Instant::now() < deadline, "the guest does not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    let server = Server::at(&format!("http://{ADDRESS}"));
    let (mut paces, mut shares, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let alone = guest.during(|| std::thread::sleep(PAUSE))?;
        let mut took = Duration::ZERO;
        let asked = guest.during(|| took = ask(&server))?;
        paces.push(asked.pace / alone.pace);
        shares.push(asked.core / alone.core);
        seconds.push(took.as_secs_f64());
    }
    say(&format!("{TURNS} turns of {REQUESTS} requests over {CLIENTS} connections, all answered, each body a profile"));
    println!("pace while asked / alone    {}", Spread::of(paces).with_unit(""));
    println!("core while asked / alone    {}", Spread::of(shares).with_unit(""));
    println!("all requests                {}", Spread::of(seconds).with_unit(" s"));
    Ok(())
}

impl Guest {
    fn n_said(&self) -> usize {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Units of work a second in what the guest has said from this record on; `None` while that is less than two records.
    fn pace_since(&self, first: usize) -> Option<f64> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let [(from, before), .., (to, after)] = said.get(first..)? else { return None };
        Some((after - before) as f64 / ((to - from) as f64 / 1e9))
    }

    fn during(&self, act: impl FnOnce()) -> Result<Measured> {
        let (first, began, used) = (self.n_said(), Instant::now(), self.cpu_nanos()?);
        act();
        let core = (self.cpu_nanos()? - used) as f64 / began.elapsed().as_nanos() as f64;
        let pace = self.pace_since(first).context("the guest was not heard of for so long that it has no pace")?;
        Ok(Measured { pace, core })
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

/// Makes all requests; how long that took. Panics at an answer that is no profile.
fn ask(server: &Server) -> Duration {
    let n_left = AtomicUsize::new(REQUESTS);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                // On Linux a thread has a niceness of its own.
                let _ = rustix::process::setpriority_process(None, 19);
                // A connection of its own, which is kept.
                let server = Server::at(server.url());
                let another = |n: usize| n.checked_sub(1);
                while n_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, another).is_ok() {
                    let answer = server.get("/debug/pprof/heap");
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    assert!(decode(&answer.body, &Limits::default()).is_ok(), "a body is no profile");
                }
            });
        }
    });
    began.elapsed()
}
