//! `wprof diff`: what changed between two profiles; for a CI job, whether too much did.

use std::ffi::OsString;
use std::process::ExitCode;

use proto::Profile;
use proto::analysis::diff::Diff;
use proto::analysis::prepare;

use super::report::{Options, Output};
use super::sources;
use crate::report::{Kind, Pair, write_diff};

/// Options of `wprof diff`: those of the reports, and when to fail.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Opts {
    /// The old profile.
    #[arg(value_name = "BEFORE")]
    before: OsString,
    /// The new profile.
    #[arg(value_name = "AFTER")]
    after: OsString,

    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    output: Output,

    /// First scale AFTER so that it is as much as BEFORE.
    #[arg(long, conflicts_with = "fail_over")]
    normalize: bool,
    /// Exit with 1 if the total, of what the filters leave, has grown by more than this share: `5%` or `0.05`.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    fail_over: Option<f64>,
}

fn share(text: &str) -> Result<f64, String> {
    let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 0.01));
    let number: f64 = number.trim().parse().map_err(|_err| format!("{text:?} is no share, as 5% or 0.05 are"))?;
    if number.is_finite() && 0.0 <= number { Ok(number * factor) } else { Err("a share is 0 or more".to_owned()) }
}

/// Prints the difference. Exits with 1 if it is more than was allowed, with 2 if there is none.
///
/// # Errors
///
/// If the output takes no more.
#[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
pub fn run(opts: &Opts) -> anyhow::Result<ExitCode> {
    let options = opts.options.report(&Kind::Top, opts.output.json);
    let [before, after] = match [&opts.before, &opts.after].map(|file| load(file, opts)) {
        [Ok(before), Ok(after)] => [before, after],
        [Err(error), _] | [_, Err(error)] => {
            eprintln!("{error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let [before_name, after_name] = [&opts.before, &opts.after].map(|it| it.display().to_string());
    let pair = Pair { before: (&before_name, &before), after: (&after_name, &after), normalize: opts.normalize };
    let mut text = Vec::new();
    let diff = match write_diff(&mut text, pair, &options) {
        Ok((diff, warnings)) => {
            warnings.iter().for_each(|it| eprintln!("{it}"));
            diff
        }
        Err(error) => {
            eprintln!("{error}");
            return Ok(ExitCode::from(2));
        }
    };
    opts.output.put(&Kind::Top, &text)?;
    Ok(opts.fail_over.map_or(ExitCode::SUCCESS, |allowed| verdict(&diff, allowed)))
}

fn load(file: &OsString, opts: &Opts) -> anyhow::Result<Profile> {
    let profile = sources::fetch(&[file], "source", &opts.options.fetch)?;
    // What is to be said of names, the reports say.
    Ok(prepare(profile, &opts.options.prepare()).0)
}

#[expect(clippy::print_stderr, reason = "why the exit code is 1")]
fn verdict(diff: &Diff, allowed: f64) -> ExitCode {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    let [before, after] = [diff.before, diff.after].map(|it| it as f64);
    if after <= before * (1.0 + allowed) {
        return ExitCode::SUCCESS;
    }
    let amount = |value| diff.scale.amount(value);
    eprintln!(
        "wprof: {} has grown from {} to {}, by more than {}%",
        diff.kind,
        amount(diff.before),
        amount(diff.after),
        allowed * 100.0
    );
    ExitCode::from(1)
}
