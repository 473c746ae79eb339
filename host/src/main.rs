//! The `wprof` command.
#![expect(clippy::print_stderr, reason = "the end of the error chain")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match wprof::cli::main(std::env::args_os()) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wprof: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// `wprof top FILE | head` closes our output early, which is no fault.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
