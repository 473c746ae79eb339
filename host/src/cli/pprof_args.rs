//! pprof's way with options, which reports and the viewer share: one dash or two, `_` or `-` in names, and flags that take `=false`.

use std::ffi::{OsStr, OsString};

/// The subcommands whose options are pprof's.
const SUBCOMMANDS: &[&str] = &[
    "top",
    "tree",
    "peek",
    "list",
    "disasm",
    "diff",
    "traces",
    "tags",
    "raw",
    "comments",
    "dot",
    "svg",
    "png",
    "callgrind",
    "proto",
    "topproto",
    "view",
];

/// Flags, as clap knows them, that may come with a value; with the name that switches each off, if it is on by default.
const FLAGS: &[(&str, Option<&str>)] = &[
    ("all-frames", None),
    ("alloc-objects", None),
    ("alloc-space", None),
    ("addresses", None),
    ("call-tree", None),
    ("compact-labels", None),
    ("contentions", None),
    ("cum", None),
    ("drop-negative", None),
    ("filefunctions", None),
    ("files", None),
    ("flat", None),
    ("functions", None),
    ("inuse-objects", None),
    ("inuse-space", None),
    ("json", None),
    ("lines", None),
    ("mean", None),
    ("mean-delay", None),
    ("noinlines", None),
    ("normalize", None),
    ("relative-percentages", None),
    ("showcolumns", None),
    ("total-delay", None),
    ("trim", Some("no-trim")),
];

/// A command line in the spelling that clap is told: `-sample_index=cpu` becomes `--sample-index=cpu`, `-trim=false`
/// `--no-trim`, and `-cum=false` goes. Only command lines of these subcommands are touched.
#[must_use]
pub(super) fn normalise_args(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let args: Vec<OsString> = args.collect();
    let is_pprofs = args.get(1).and_then(|it| it.to_str()).is_some_and(|it| SUBCOMMANDS.contains(&it));
    if !is_pprofs {
        return args;
    }
    let n_options = args.iter().position(|it| it == "--").unwrap_or(args.len());
    let (options, files) = args.split_at(n_options);
    options.iter().filter_map(|it| normalise(it)).chain(files.iter().cloned()).collect()
}

/// One argument; `None` if it says what is so anyway.
fn normalise(arg: &OsStr) -> Option<OsString> {
    // An option's name is text. Where its value is not, it must be given apart.
    let Some((name, value)) = arg.to_str().and_then(option) else { return Some(arg.to_owned()) };
    let name = name.replace('_', "-");
    let flag = FLAGS.iter().find(|it| it.0 == name);
    let is_on = value.map_or(Some(true), boolean);
    match (flag, is_on, value) {
        (Some((_, None)), Some(false), _) | (Some((_, Some(_))), Some(true), _) => None,
        (Some((_, Some(off))), Some(false), _) => Some(format!("--{off}").into()),
        (Some(_), Some(true), _) | (_, _, None) => Some(format!("--{name}").into()),
        (_, _, Some(value)) => Some(format!("--{name}={value}").into()),
    }
}

/// The name and value of an option of more than one letter; `None` for anything else, as `-h`, `-` and `-5`.
fn option(arg: &str) -> Option<(&str, Option<&str>)> {
    let body = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    (1 < name.len() && name.starts_with(|it: char| it.is_ascii_alphabetic())).then_some((name, value))
}

/// A boolean in any of the spellings that Go's flags take.
fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let args = normalise_args(line.split(' ').map(OsString::from));
        let args: Vec<_> = args.iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!(args.join(" "), expected, "{line}");
    }

    #[test]
    fn options_are_spelt_in_pprofs_ways() {
        check("wprof top -cum a_b.pb", "wprof top --cum a_b.pb");
        check("wprof top -sample_index=a_b f", "wprof top --sample-index=a_b f");
        check("wprof top --sample-index a_b f", "wprof top --sample-index a_b f");
        check("wprof top -trim=false f", "wprof top --no-trim f");
        check("wprof top -trim -cum=0 -lines=T f", "wprof top --lines f");
        check("wprof top -cum=maybe f", "wprof top --cum=maybe f");
        check("wprof top -h -nodecount -1 -", "wprof top -h --nodecount -1 -");
        check("wprof top -- -cum", "wprof top -- -cum");
        check("wprof view -diff_base=a -source_path . b", "wprof view --diff-base=a --source-path . b");
    }

    #[test]
    fn other_commands_are_left_alone() {
        check("wprof run -W simd=y mod.wasm -my_flag=false", "wprof run -W simd=y mod.wasm -my_flag=false");
    }
}
