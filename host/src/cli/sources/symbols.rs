//! Names for the addresses of a profile that has none: from the modules on this machine, and from the server.

use proto::analysis::symbolize::{FoundLine, addresses_to_find, symbolize};
use proto::{FunctionSpec, MappingId, Profile};
use symbols::{Symbolizer, resolve};

use super::http::{self, TlsOpts};
use super::mode::Symbolize;
use super::url::symbol_url;
use crate::locate::find_module;

/// The most that a server may say of addresses, in bytes.
const MAX_ANSWER: u64 = 256 << 20;

/// Gives names to the addresses of a profile, as far as `mode` wants it. Returns what went wrong, which costs names
/// only. `url` is where the profile came from, if from a server.
pub(super) fn add_names(
    profile: Profile,
    url: Option<&str>,
    mode: &Symbolize,
    tls: &TlsOpts,
) -> (Profile, Vec<String>) {
    let mut warnings = Vec::new();
    let mut profile = profile;
    if mode.local {
        profile = from_modules(profile, mode.force, &mut warnings);
    }
    if let Some(url) = url.filter(|_| mode.remote).and_then(symbol_url) {
        profile = from_server(profile, &url, mode.force, tls, &mut warnings);
    }
    (profile, warnings)
}

/// The mappings that locations are in, `None` for those in none.
fn mappings(profile: &Profile) -> Vec<Option<MappingId>> {
    let mut mappings: Vec<_> = profile.locations().iter().map(|it| it.mapping).collect();
    mappings.sort_unstable();
    mappings.dedup();
    mappings
}

/// Reads the modules that mappings name. Those of native programs are beyond us.
fn from_modules(profile: Profile, force: bool, warnings: &mut Vec<String>) -> Profile {
    let mut profile = profile;
    let mut is_any_missing = false;
    for id in mappings(&profile).into_iter().flatten() {
        let mapping = *profile.mapping(id);
        let has_names = mapping.has_functions || mapping.has_filenames || mapping.has_line_numbers;
        let [filename, build_id] = [mapping.filename, mapping.build_id].map(|it| profile.string(it));
        // Nameless main binaries are `prepare`'s to say; a name in brackets is no file.
        let has_file = !filename.is_empty() && !is_no_file(filename);
        if (has_names && !force) || !has_file {
            is_any_missing |= !has_names && filename.is_empty() && id.index() != 0;
            continue;
        }
        match find_module(filename, build_id) {
            Ok(module) => profile = resolve(profile, &Symbolizer::new(&module.bytes, None), id, true).0,
            Err(error) => {
                is_any_missing = true;
                let id = if build_id.is_empty() { String::new() } else { format!(" (build ID {build_id})") };
                let base = proto::analysis::base_name(filename);
                warnings.push(format!("Local symbolization failed for {base}{id}: {error}"));
            }
        }
    }
    if is_any_missing {
        warnings.push("Some binary filenames not available. Symbolization may be incomplete.".to_owned());
        warnings.push("Try setting PPROF_BINARY_PATH to the search path for local binaries.".to_owned());
    }
    profile
}

/// The names that systems give to memory that no file is behind (pprof's `Mapping.Unsymbolizable`).
fn is_no_file(name: &str) -> bool {
    ["[", "linux-vdso", "/dev/dri/", "//anon", "/memfd:"].iter().any(|it| name.starts_with(it)) || name == "//anon"
}

/// Asks the server, once a mapping.
fn from_server(profile: Profile, url: &str, force: bool, tls: &TlsOpts, warnings: &mut Vec<String>) -> Profile {
    let mut profile = profile;
    for id in mappings(&profile) {
        if !force && id.is_some_and(|it| profile.mapping(it).has_functions) {
            continue;
        }
        let addresses = addresses_to_find(&profile, id, false);
        if addresses.is_empty() {
            continue;
        }
        let question: Vec<String> = addresses.iter().map(|it| format!("{it:#x}")).collect();
        match http::post(url, &question.join("+"), MAX_ANSWER, tls) {
            Ok(answer) => {
                let answer = String::from_utf8_lossy(&answer);
                let lines = parse_answer(&answer);
                // The names are the binary's own, which `prepare` simplifies as it does with C++'s.
                let found = |name| FunctionSpec { name, system_name: name, ..FunctionSpec::default() };
                let found = |name| vec![FoundLine { function: found(name), ..FoundLine::default() }];
                profile = symbolize(profile, id, &lines.map(|(address, name)| (address, found(name))).collect());
            }
            Err(error) => {
                warnings.push(format!("{error:#}"));
                // It will not do better with the next mapping.
                break;
            }
        }
    }
    profile
}

/// The lines `0xaddress name`; all others, as `num_symbols: 1`, are passed over.
fn parse_answer(answer: &str) -> impl Iterator<Item = (u64, &str)> {
    answer.lines().filter_map(|line| {
        let start = line.find("0x")?;
        let (address, name) = line[start + 2..].split_once(char::is_whitespace)?;
        let address = u64::from_str_radix(address, 16).ok()?;
        Some((address, name.trim_start())).filter(|(_, name)| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_addresses() {
        let answer = "num_symbols: 1\n0x10 main.main\n0xffffffffffffffff\ta b(c)\n0x1\n0xyz bad\n0x20 \n";
        let found: Vec<_> = parse_answer(answer).collect();
        assert_eq!(found, [(0x10, "main.main"), (u64::MAX, "a b(c)")]);
    }
}
