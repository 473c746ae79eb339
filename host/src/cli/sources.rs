//! The profiles that a report is of: read or fetched, decoded, named and added up.
//!
//! `url` tells hosts from files, `http` asks them, `mode` and `symbols` give names to addresses.

mod http;
mod mode;
mod symbols;
mod url;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use proto::codec::ErrorKind;
use proto::formats::{self, ReadError};
use proto::{Limits, Profile};

use crate::said::go_duration;

pub(super) use mode::Symbolize;
pub(super) use url::Target;

/// How many profiles are read at once, as they must be together in memory before they are added up.
const AT_ONCE: usize = 128;

/// How servers are asked.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Fetching")]
pub(super) struct GetOpts {
    /// Have a server measure for this many seconds.
    #[arg(long, value_name = "N", default_value_t = -1, hide_default_value = true, allow_negative_numbers = true)]
    seconds: i64,
    /// Wait this many seconds for a server's answer (by default one and a half times --seconds, or 60).
    #[arg(long, value_name = "N", default_value_t = -1, hide_default_value = true, allow_negative_numbers = true)]
    timeout: i64,
    #[command(flatten)]
    tls: http::TlsOpts,
}

/// How profiles are fetched and read, which all reports share.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Fetching")]
pub(super) struct FetchOpts {
    #[command(flatten)]
    get: GetOpts,
    /// Read profiles up to this size, after inflating: bytes, or as 512MB or 4GB.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "2GB")]
    max_inflated: u64,
    /// Where names of addresses come from: none, local (WebAssembly modules on this machine) or remote (the server);
    /// `:force` looks all up again. `demangle=none` shows the binary's own names.
    #[arg(long, value_name = "MODE", value_parser = mode, default_value = "", hide_default_value = true)]
    symbolize: Symbolize,
}

impl GetOpts {
    /// Where to fetch what is called so; `None` for what is there as a file, or can be nothing else.
    pub(super) fn target(&self, name: &OsStr) -> Option<Target> {
        let name = name.to_str().filter(|it| !Path::new(it).exists())?;
        url::target(name, positive(self.seconds), positive(self.timeout).map(Duration::from_secs))
    }

    /// Fetches it, no more than `max_size` bytes, and says so.
    #[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
    pub(super) fn get(&self, target: &Target, max_size: u64) -> anyhow::Result<Vec<u8>> {
        eprintln!("Fetching profile over HTTP from {}", target.url);
        if positive(self.seconds).is_some() {
            eprintln!("Please wait... ({})", go_duration(self.seconds.saturating_mul(1_000_000_000)));
        }
        http::get(&target.url, target.patience, max_size, &self.tls)
    }
}

/// Numbers that were not given, or are as good as not given, are none.
fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|it| *it != 0)
}

impl FetchOpts {
    /// What functions are called.
    pub(super) fn names(&self) -> proto::analysis::Names {
        self.symbolize.names()
    }

    fn limits(&self) -> Limits {
        Limits { max_inflated: self.max_inflated }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap's parsers may fail")]
fn mode(mode: &str) -> Result<Symbolize, String> {
    Ok(Symbolize::parse(mode))
}

/// Bytes; a unit counts 1024 of the one before.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("expected bytes, or a number of kB, MB, GB or TB".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|err| format!("{digits:?}: {err}"))?;
    number.checked_mul(1 << shift).ok_or_else(|| "more than any machine has".to_owned())
}

/// Reads or fetches all profiles at once and adds them up. A name is a file's, a host with a port, or a URL; what is
/// there as a file is one. Those that cannot be had are said on stderr, and the others shown; only if none can, that
/// is an error. (pprof does the same.) `role` is what they are to the report, as messages say it: `source`, or `base`.
///
/// # Errors
///
/// If no profile could be had, or they have no sample type in common.
#[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
pub(super) fn fetch(names: &[impl AsRef<OsStr>], role: &str, opts: &FetchOpts) -> anyhow::Result<Profile> {
    // Bases are fetched with the same options.
    if let Some(warning) = opts.symbolize.warning().filter(|_| role == "source") {
        eprintln!("{warning}");
    }
    let (mut sum, mut n_fetched): (Option<Profile>, usize) = (None, 0);
    for names in names.chunks(AT_ONCE) {
        let fetched = fetch_at_once(names, opts);
        n_fetched += fetched.len();
        let mut profiles: Vec<Profile> = sum.take().into_iter().chain(fetched).collect();
        sum = match profiles.as_slice() {
            [] => None,
            // Merging would copy it.
            [only] if has_distinct_types(only) => profiles.pop(),
            several => Some(proto::merge(several).with_context(|| format!("problem fetching {role} profiles"))?),
        };
    }
    let Some(sum) = sum else { bail!("failed to fetch any {role} profiles") };
    if n_fetched < names.len() {
        eprintln!("Fetched {n_fetched} {role} profiles out of {}", names.len());
    }
    Ok(sum)
}

/// Whether no two sample types have one name; those that do are dropped, even of a single profile.
fn has_distinct_types(profile: &Profile) -> bool {
    let mut kinds: Vec<_> = profile.sample_types().iter().map(|it| it.kind).collect();
    kinds.sort_unstable();
    kinds.windows(2).all(|it| it[0] != it[1])
}

/// Those of the profiles that can be had, in the names' order.
#[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
fn fetch_at_once(names: &[impl AsRef<OsStr>], opts: &FetchOpts) -> Vec<Profile> {
    let names: Vec<&OsStr> = names.iter().map(AsRef::as_ref).collect();
    let results = at_once(&names, |name| fetch_one(name, opts));
    let mut profiles = Vec::with_capacity(names.len());
    for (name, result) in names.iter().zip(results) {
        match result {
            Ok((profile, warnings)) => {
                warnings.iter().for_each(|it| eprintln!("{it}"));
                profiles.push(profile);
            }
            Err(error) => eprintln!("{}: {error:#}", name.display()),
        }
    }
    profiles
}

/// Opens all of `names` at once, as servers may take their time; in the names' order.
pub(super) fn at_once<T: Send>(
    names: &[&OsStr],
    open: impl Fn(&OsStr) -> anyhow::Result<T> + Sync,
) -> Vec<anyhow::Result<T>> {
    if let [name] = names {
        return vec![open(name)];
    }
    let open = &open;
    thread::scope(|scope| {
        #[expect(clippy::needless_collect, reason = "all must have begun before the first is waited for")]
        let threads: Vec<_> = names.iter().map(|name| scope.spawn(move || open(name))).collect();
        let panicked = |_| Err(anyhow::anyhow!("reading it failed"));
        threads.into_iter().map(|it| it.join().unwrap_or_else(panicked)).collect()
    })
}

/// One profile with names, and what kept names from being found.
fn fetch_one(name: &OsStr, opts: &FetchOpts) -> anyhow::Result<(Profile, Vec<String>)> {
    let target = opts.get.target(name);
    let bytes = match &target {
        Some(target) => opts.get.get(target, opts.max_inflated)?,
        None => read(Path::new(name), opts.max_inflated)?,
    };
    let profile = formats::read(&bytes, &opts.limits()).map_err(|error| match &error {
        ReadError::Profile(error) if let ErrorKind::TooLarge { limit } = error.kind() => too_large(*limit),
        _ => anyhow::Error::new(error).context("parsing profile"),
    })?;
    // Its memory is needed.
    drop(bytes);
    let url = target.as_ref().map(|it| it.url.as_str());
    Ok(symbols::add_names(profile, url, &opts.symbolize, &opts.get.tls))
}

/// A file's bytes, no more than `limit`.
pub(super) fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path)?;
    let len = file.metadata().map_or(0, |it| it.len()).min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if limit < bytes.len() as u64 {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

fn too_large(limit: u64) -> anyhow::Error {
    anyhow::anyhow!("profile is larger than the limit of {limit} bytes, which --max_inflated raises")
}

#[cfg(test)]
mod tests;
