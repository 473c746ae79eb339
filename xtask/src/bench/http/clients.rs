//! Many connections and one thread: it costs a machine little to keep them all waiting, and the little is the same each time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use proto::{Limits, decode};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was answered, and how long that took.
pub(super) struct Answers {
    pub(super) took: Duration,
    bodies: Vec<Vec<u8>>,
}

impl Answers {
    /// Whether all of them are profiles. To be asked when nothing is measured any more.
    ///
    /// # Errors
    ///
    /// At the first that is none.
    pub(super) fn check(&self) -> Result<()> {
        for body in &self.bodies {
            decode(body, &Limits::default()).context("an answer is no profile")?;
        }
        Ok(())
    }
}

/// Asks for so many heap profiles over so many connections, each of which always has one to wait for.
///
/// # Errors
///
/// When one is not answered.
pub(super) fn ask(address: &str, n_requests: usize, n_connections: usize) -> Result<Answers> {
    std::thread::scope(|scope| scope.spawn(|| ask_nicely(address, n_requests, n_connections)).join())
        .map_err(|_panicked| anyhow::anyhow!("the clients panicked"))?
}

fn ask_nicely(address: &str, n_requests: usize, n_connections: usize) -> Result<Answers> {
    // On Linux a thread has a niceness of its own.
    let _ = rustix::process::setpriority_process(None, 19);
    let mut connections = Vec::with_capacity(n_connections);
    for _ in 0..n_connections {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        connections.push(BufReader::new(stream));
    }
    let request = format!("GET /debug/pprof/heap HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let began = Instant::now();
    let mut bodies = Vec::with_capacity(n_requests);
    for n in 0..n_requests + n_connections {
        let connection = &mut connections[n % n_connections];
        if n >= n_connections {
            bodies.push(answer(connection)?);
        }
        if n < n_requests {
            connection.get_mut().write_all(request.as_bytes())?;
        }
    }
    Ok(Answers { took: began.elapsed(), bodies })
}

/// The body of the answer that comes next.
fn answer(connection: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 200 "), "an answer begins with {line:?}");
    let mut length = None;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = Some(value.trim().parse()?),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length.context("an answer has no length")?];
    connection.read_exact(&mut body)?;
    Ok(body)
}
