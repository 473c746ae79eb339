//! `--http`: the guest's profiles over HTTP while it runs.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::cli::messages::Messages;
use crate::debug::{Guests, ROOT, Settings};
use crate::guest::GuestOptions;
use crate::registry::CpuOptions;
use crate::serve::{Hosts, LiveServer, Serving};
use crate::supervise::{Outcome, Supervisor};

/// What the guest is called among those served.
pub(super) const GUEST: &str = "main";

/// How long the process stays for answers that are being sent when the guest ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// Options of serving.
#[derive(Debug, clap::Args)]
pub(super) struct Opts {
    /// Serve the guest's profiles while it runs, as Go's net/http/pprof does, and the viewer: at HOST:PORT or :PORT, where
    /// no host is this machine alone and port 0 any that is free [default: 127.0.0.1:6060]. CPU time is then not
    /// written to cpu.prof, but there to be asked for.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = ":6060")]
    http: Option<String>,

    /// When the guest has ended, go on serving until Ctrl-C.
    #[arg(long, requires = "http", conflicts_with = "view")]
    http_wait: bool,

    /// Answer also to requests for a host of this name, as a proxy or another machine may make them.
    #[arg(long, value_name = "NAME", requires = "http")]
    http_host: Vec<String>,
}

/// A server at work.
#[derive(Debug)]
pub(super) struct Http {
    guests: Guests,
    serving: Serving,
    url: String,
    waits: bool,
    messages: Messages,
}

impl Opts {
    /// Whether anything is served.
    pub(super) fn is_on(&self) -> bool {
        self.http.is_some()
    }

    /// Begins to serve, if it is asked for; there is nothing to be had until the guest begins.
    ///
    /// # Errors
    ///
    /// When the address is none, or taken.
    pub(super) fn start(
        &self,
        guest: &GuestOptions,
        cpu: CpuOptions,
        messages: Messages,
    ) -> anyhow::Result<Option<Http>> {
        let Some(asked) = &self.http else { return Ok(None) };
        let address = address(asked)?;
        let server = LiveServer::bind(address).with_context(|| format!("failed to listen on {address} for --http"))?;
        let bound = server.address();
        let args = guest.args().iter().map(|it| it.to_string_lossy().into_owned());
        let cmdline = std::iter::once(guest.module().display().to_string()).chain(args).collect();
        let guests = Guests::new(Settings { cmdline, cpu });
        let hosts = Hosts::of(bound).and(&self.http_host);
        let serving = server.start(&guests, hosts).context("failed to start the server for --http")?;
        let url = format!("http://{bound}{ROOT}");
        messages.note(&format!("serving {url}"));
        if !bound.ip().is_loopback() {
            messages.warn(&format!("whoever reaches {bound} can read the guest's profiles"));
        }
        Ok(Some(Http { guests, serving, url, waits: self.http_wait, messages }))
    }
}

impl Http {
    /// The guests that are served.
    pub(super) fn guests(&self) -> Guests {
        self.guests.clone()
    }

    /// Says that the guest has ended.
    pub(super) fn end_guest(&self) {
        self.guests.end(GUEST);
    }

    /// Stops, at Ctrl-C if the user wants it to go on and has not given that already, when what is being answered is sent.
    pub(super) fn finish(self, supervisor: &Supervisor, outcome: &Outcome) {
        if self.waits && !outcome.by_signal {
            self.messages.note(&format!("the guest has ended; still serving {} (Ctrl-C ends it)", self.url));
            supervisor.wait_for_signal();
        }
        self.serving.close(PATIENCE);
    }
}

/// `HOST:PORT`, `:PORT` or `PORT`.
fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let wrong = || format!("--http={text}: expected HOST:PORT or :PORT");
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let port: u16 = port.parse().with_context(wrong)?;
    // Unlike Go's, whose servers are for others by default.
    let host = if host.is_empty() { "127.0.0.1" } else { host.trim_start_matches('[').trim_end_matches(']') };
    match (host, port).to_socket_addrs().with_context(wrong)?.next() {
        Some(address) => Ok(address),
        None => bail!("--http={text}: {host} has no address"),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn no_host_is_this_machine() {
        for (text, expected) in [
            (":6060", "127.0.0.1:6060"),
            ("0", "127.0.0.1:0"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:6060", "[::1]:6060"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected, "{text}");
        }
        for wrong in ["", ":", "localhost", "127.0.0.1", ":99999", "app.wasm", "::1", "a b:80"] {
            let error = address(wrong).unwrap_err();
            assert!(error.to_string().contains(&format!("--http={wrong}:")), "{error}");
        }
    }
}
