//! A process that a test has started: what it prints, signals to it, and a bound on its time.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;

/// Nothing that a test starts takes this long; whatever does hangs.
pub const HANG: Duration = Duration::from_secs(120);

/// Killed when dropped, so that a failed test leaves nothing running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Stream,
    stderr: Stream,
}

/// How it ended, and what it printed.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; 128 and the signal's number where one ended it, as shells have it.
    pub code: i32,
    /// Everything on stdout that [`Running::wait_for_line`] has not taken.
    pub stdout: Vec<u8>,
    /// Everything on stderr that [`Running::wait_for_message`] has not taken.
    pub stderr: String,
}

/// How fast the pipe of a process's stdout is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As fast as it fills.
    AtOnce,
    /// 8 KiB a millisecond, so that a process that writes much has to wait.
    Slowly,
}

/// A stream that takes its time.
struct Slow<R>(R);

impl<R: Read> Read for Slow<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        sleep(Duration::from_millis(1));
        self.0.read(bytes)
    }
}

/// Read on a thread of its own, line by line, so that the process never waits for us.
#[derive(Debug)]
struct Stream(Receiver<Vec<u8>>);

impl Running {
    /// Starts it with pipes to all three streams; stdin stays open until [`Running::write_stdin`] closes it.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::start_reading(command, Reading::AtOnce)
    }

    /// The same, with a reader of the caller's choice at the end of its stdout.
    #[must_use]
    pub fn start_reading(command: &mut Command, reading: Reading) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        let stdout = child.stdout.take().unwrap();
        let stdout = match reading {
            Reading::AtOnce => Stream::new(stdout),
            Reading::Slowly => Stream::new(Slow(stdout)),
        };
        let stderr = Stream::new(child.stderr.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout, stderr }
    }

    /// Writes this to its stdin, and closes it.
    pub fn write_stdin(&mut self, bytes: Vec<u8>) {
        let mut stdin = self.stdin.take().expect("stdin is closed already");
        // On a thread, or a process that prints much before it reads would wait for us. One that ends unread is no fault.
        spawn(move || std::io::Write::write_all(&mut stdin, &bytes).ok());
    }

    /// Writes a line to its stdin, which stays open.
    pub fn write_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is closed already");
        std::io::Write::write_all(stdin, format!("{line}\n").as_bytes()).unwrap();
    }

    /// Writes these to its stdin one by one, with a pause before each, and closes it.
    pub fn feed(&mut self, pieces: Vec<Vec<u8>>, pause: Duration) {
        let mut stdin = self.stdin.take().expect("stdin is closed already");
        spawn(move || {
            for piece in pieces {
                sleep(pause);
                if std::io::Write::write_all(&mut stdin, &piece).is_err() {
                    return;
                }
            }
        });
    }

    /// Waits until it prints a line with `text` in it on stdout; the answer is that line.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        self.wait_for_line_of(&[text])
    }

    /// The same of a line with any of these texts in it.
    pub fn wait_for_line_of(&mut self, texts: &[&str]) -> String {
        self.stdout.wait_for(texts)
    }

    /// The same, on stderr.
    pub fn wait_for_message(&mut self, text: &str) -> String {
        self.stderr.wait_for(&[text])
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end. A stdin that nobody closed stays open until then.
    #[must_use]
    pub fn finish(mut self) -> Ended {
        let deadline = Instant::now() + HANG;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it still runs after {HANG:?}; it is killed now");
            sleep(Duration::from_millis(2));
        };
        let stderr = String::from_utf8_lossy(&self.stderr.rest()).into_owned();
        Ended { code: code(status), stdout: self.stdout.rest(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has often ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn new(stream: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        spawn(move || {
            let mut stream = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                match stream.read_until(b'\n', &mut line) {
                    Ok(1..) if sender.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        Self(lines)
    }

    fn wait_for(&mut self, texts: &[&str]) -> String {
        let deadline = Instant::now() + HANG;
        let mut seen = String::new();
        loop {
            let Ok(line) = self.0.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                panic!("it has not printed {texts:?}, but: {seen}");
            };
            let line = String::from_utf8_lossy(&line).into_owned();
            if texts.iter().any(|text| line.contains(text)) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    /// What is left, to its end.
    fn rest(&mut self) -> Vec<u8> {
        self.0.iter().flatten().collect()
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap()
}
