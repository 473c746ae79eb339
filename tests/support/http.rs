//! Asking an HTTP server on this machine.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;

use crate::running::HANG;

/// A server, by the address it printed.
#[derive(Debug)]
pub struct Server {
    url: String,
    agent: Agent,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Server {
    /// The server at `http://HOST:PORT`, with or without a slash behind.
    #[must_use]
    pub fn at(url: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let config = config.timeout_global(Some(Duration::from_secs(60))).build();
        Self { url: url.trim_end_matches('/').to_owned(), agent: config.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// GET, again and again until the answer has this status.
    #[must_use]
    pub fn get_until(&self, path: &str, status: u16) -> Answer {
        let deadline = Instant::now() + HANG;
        loop {
            let answer = self.get(path);
            if answer.status == status {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} is never answered by {status}, but {}", answer.text());
        }
    }

    /// GET, with headers.
    #[must_use]
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        Answer::of(request.call())
    }

    /// HEAD.
    #[must_use]
    pub fn head(&self, path: &str) -> Answer {
        Answer::of(self.agent.head(format!("{}{path}", self.url)).call())
    }

    /// POST of some text.
    #[must_use]
    pub fn post(&self, path: &str, body: &str) -> Answer {
        Answer::of(self.agent.post(format!("{}{path}", self.url)).send(body))
    }

    /// Sends a request and does not wait for the answer; dropping the stream takes it back. `more` are whole header lines.
    #[must_use]
    pub fn begin(&self, request: &str, more: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.authority()).expect("the server listens");
        write!(stream, "{request} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", self.authority()).expect("it reads");
        stream
    }

    /// Has somebody take a CPU profile until this is dropped.
    #[must_use]
    pub fn take_cpu(&self) -> TcpStream {
        let deadline = Instant::now() + HANG;
        loop {
            let stream = self.begin("GET /debug/pprof/profile?seconds=600", "");
            stream.set_read_timeout(Some(Duration::from_millis(100))).expect("it is no zero");
            // The one that asks whether it is taken may have come first, or one that is ending; then this is answered at once.
            let is_refused = self.get("/debug/pprof/profile?seconds=1").status == 500;
            if is_refused && stream.peek(&mut [0]).is_err() {
                return stream;
            }
            assert!(Instant::now() < deadline, "no CPU profile is being taken");
        }
    }

    /// Its host and port.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Any other method, without a body.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str) -> Answer {
        let url = format!("{}{path}", self.url);
        let request = ureq::http::Request::builder().method(method).uri(url).body(()).expect("a sound request");
        Answer::of(self.agent.run(request))
    }

    /// POST or DELETE of JSON, as WebDriver has it.
    #[must_use]
    pub fn send(&self, path: &str, json: &Value) -> Answer {
        Answer::of(self.agent.post(format!("{}{path}", self.url)).send_json(json))
    }

    /// DELETE.
    #[must_use]
    pub fn delete(&self, path: &str) -> Answer {
        Answer::of(self.agent.delete(format!("{}{path}", self.url)).call())
    }
}

impl Answer {
    fn of(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Self {
        let mut response = response.expect("the server answers");
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().expect("a whole body");
        Self { status: response.status().as_u16(), headers, body }
    }

    /// A header's value; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}
