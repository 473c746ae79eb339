//! A proxy that writes down what is asked.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Hands requests on to a server.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// In front of the server at `HOST:PORT`.
    #[must_use]
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (own, server) = (Arc::clone(&log), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let upstream = TcpStream::connect(&server).unwrap();
                let [from, to] = [&client, &upstream].map(|it| it.try_clone().unwrap());
                let log = Arc::clone(&own);
                thread::spawn(move || hand_on(from, to, |bytes| log.lock().unwrap().extend(requests(bytes))));
                thread::spawn(move || hand_on(upstream, client, |_| {}));
            }
        });
        Self { address, log }
    }

    /// Its `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What was asked since the last time, as `GET /path`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, see: impl Fn(&[u8])) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        see(&bytes[..n]);
        if to.write_all(&bytes[..n]).is_err() {
            break;
        }
    }
    // Whoever is at the other end may have gone already.
    let _ = to.shutdown(Shutdown::Both);
}

/// Requests begin a piece of what a client sends, as it waits for an answer before it sends the next.
fn requests(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next()?.strip_suffix(" HTTP/1.1")?;
    Some(line.to_owned())
}
