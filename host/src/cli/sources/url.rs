//! What a profile's name means when it is no file: pprof's way with hosts and URLs.

use std::time::Duration;

/// Go's handler of CPU profiles, which a bare host means.
const CPU_PROFILE: &str = "/debug/pprof/profile";

/// How long a server that is to measure for no particular time may take.
const USUAL: Duration = Duration::from_secs(60);

/// What a server may take beyond the time that it is to measure.
const GRACE: Duration = Duration::from_secs(5);

/// Where to ask for a profile, and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Target {
    /// With scheme, path and parameters.
    pub(super) url: String,
    /// Until the answer must begin.
    pub(super) patience: Duration,
}

impl Target {
    /// The URL as it may be shown: without who asks, and his password.
    pub(in crate::cli) fn without_user(&self) -> String {
        let end = self.url.find("://").map_or(0, |it| it + 3);
        let (scheme, rest) = self.url.split_at(end);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        format!("{scheme}{host}{path}")
    }
}

/// A URL in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Url<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

/// The target of `name`: a URL, or a host with or without a path. `None` if it can be only a file's. `seconds` is how
/// long the server is to measure, and `timeout` how long to wait; both as asked for, if they are.
pub(super) fn target(name: &str, seconds: Option<u64>, timeout: Option<Duration>) -> Option<Target> {
    let with_scheme;
    let url = match Url::parse(name) {
        Some(url) => url,
        None if names_host(name) => {
            with_scheme = format!("http://{name}");
            Url::parse(&with_scheme)?
        }
        None => return None,
    };
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(url.query.as_bytes()).into_owned().collect();
    if let Some(seconds) = seconds {
        pairs.retain(|(key, _)| key != "seconds");
        pairs.push(("seconds".to_owned(), seconds.to_string()));
    }
    let in_query = pairs.iter().find(|(key, _)| key == "seconds").and_then(|(_, value)| value.parse::<u32>().ok());
    let measured = seconds.or(in_query.map(u64::from)).filter(|it| *it != 0);
    // As pprof writes them.
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let usual = measured.map_or(USUAL, |it| Duration::from_secs(it.saturating_add(it / 2)));
    Some(Target { url: url.with(&query), patience: timeout.unwrap_or(usual).saturating_add(GRACE) })
}

/// The sibling of a profile's URL that tells the names of addresses.
pub(super) fn symbol_url(url: &str) -> Option<String> {
    // gperftools' names for its profiles (its pprof_remote_servers.html).
    const GPERFTOOLS: [&str; 5] =
        ["/pprof/heap", "/pprof/growth", "/pprof/profile", "/pprof/pmuprofile", "/pprof/contention"];
    let Url { scheme, authority, path, .. } = Url::parse(url)?;
    let is_ours = path.contains("/debug/pprof/") || GPERFTOOLS.iter().any(|it| path.ends_with(it));
    let folder = path.trim_end_matches('/').rsplit_once('/').map_or("", |it| it.0);
    Some(format!("{scheme}://{authority}{folder}/{}", if is_ours { "symbol" } else { "symbolz" }))
}

/// Whether a URL is of this machine, which no proxy is asked for.
pub(super) fn is_loopback(url: &str) -> bool {
    let Some(Url { authority, .. }) = Url::parse(url) else { return false };
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.strip_prefix('[').map_or_else(|| host.split(':').next(), |it| it.split(']').next());
    let host = host.unwrap_or_default();
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// Whether what is no URL may be a host: there is a colon before the first slash, as files seldom have one.
fn names_host(name: &str) -> bool {
    let authority = name.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    let host = host.rsplit('@').next().unwrap_or_default();
    let is_bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    // `file:///x` is a URL without a host.
    let is_url = name[authority.len()..].starts_with("//");
    is_bare && !is_url && port.bytes().all(|it| it.is_ascii_digit())
}

impl<'a> Url<'a> {
    /// `None` if it has no scheme or no host.
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let mut letters = scheme.bytes();
        let is_scheme = letters.next().is_some_and(|it| it.is_ascii_alphabetic())
            && letters.all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it));
        let rest = rest.split('#').next().unwrap_or_default();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        (is_scheme && !authority.is_empty()).then_some(Self { scheme, authority, path, query })
    }

    fn with(&self, query: &str) -> String {
        let Self { scheme, authority, path, .. } = *self;
        let path = if matches!(path, "" | "/") { CPU_PROFILE } else { path };
        // `:6060` is a port of this machine.
        let host = if authority.starts_with(':') { "localhost" } else { "" };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}://{host}{authority}{path}{mark}{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls_are_told_from_files() {
        let check = |name: &str, expected: Option<&str>| {
            let found = target(name, None, None).map(|it| it.url);
            assert_eq!(found.as_deref(), expected, "{name}");
        };
        check("localhost:6060", Some("http://localhost:6060/debug/pprof/profile"));
        check("127.0.0.1:80/", Some("http://127.0.0.1:80/debug/pprof/profile"));
        check("[::1]:80/heap", Some("http://[::1]:80/heap"));
        check(":6060", Some("http://localhost:6060/debug/pprof/profile"));
        check("http://host", Some("http://host/debug/pprof/profile"));
        check("https://host/debug/pprof/heap#top", Some("https://host/debug/pprof/heap"));
        check("host:1/heap?gc=1&a=b%20c", Some("http://host:1/heap?a=b+c&gc=1"));
        check("https+insecure://host/x", Some("https+insecure://host/x"));
        check("me:secret@host:80/x", Some("http://me:secret@host:80/x"));
        check("cpu.pb.gz", None);
        check("folder/cpu.pb.gz", None);
        check("/abs/a:1", None);
        check("mem_2023-11-02_03:55:24", None);
        check("notes:old", None);
        check("file:///cpu.pb.gz", None);
        check("", None);
    }

    #[test]
    fn passwords_are_not_shown() {
        let check = |name: &str, expected: &str| {
            assert_eq!(target(name, None, None).map(|it| it.without_user()).as_deref(), Some(expected), "{name}");
        };
        check("http://me:se@cret@host:1/a@b?c=1", "http://host:1/a@b?c=1");
        check("https://host/a@b", "https://host/a@b");
        check("me@host:1", "http://host:1/debug/pprof/profile");
    }

    #[test]
    fn seconds_are_told_and_waited_for() {
        let check = |name: &str, seconds: Option<u64>, timeout: Option<u64>, url: &str, patience: u64| {
            let patience = Duration::from_secs(patience);
            let expected = Target { url: url.to_owned(), patience };
            assert_eq!(target(name, seconds, timeout.map(Duration::from_secs)), Some(expected), "{name}");
        };
        check("h:1/p", None, None, "http://h:1/p", 65);
        check("h:1/p", Some(30), None, "http://h:1/p?seconds=30", 50);
        check("h:1/p?seconds=4&x=1", None, None, "http://h:1/p?seconds=4&x=1", 11);
        check("h:1/p?seconds=4&x=1", Some(2), None, "http://h:1/p?seconds=2&x=1", 8);
        check("h:1/p?seconds=x", None, None, "http://h:1/p?seconds=x", 65);
        check("h:1/p?seconds=0", None, None, "http://h:1/p?seconds=0", 65);
        check("h:1/p", Some(30), Some(7), "http://h:1/p?seconds=30", 12);
    }

    #[test]
    fn symbols_are_asked_for_next_door() {
        let check = |url: &str, expected: &str| assert_eq!(symbol_url(url).as_deref(), Some(expected), "{url}");
        check("http://h:1/debug/pprof/heap?gc=1", "http://h:1/debug/pprof/symbol");
        check("http://h/x/debug/pprof/heap/", "http://h/x/debug/pprof/symbol");
        check("http://h/pprof/growth", "http://h/pprof/symbol");
        check("http://h/profilez", "http://h/symbolz");
        check("http://h", "http://h/symbolz");
    }

    #[test]
    fn this_machine_is_known() {
        for (url, expected) in [
            ("http://localhost:1/x", true),
            ("http://me@127.0.0.9", true),
            ("http://[::1]:80", true),
            ("http://example.org/localhost", false),
            ("localhost", false),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
        }
    }
}
