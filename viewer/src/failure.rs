//! What went wrong with a file, told for people: a title, the evidence, and what to try.

use yew::AttrValue;

use crate::protocol::{Fault, Refusal};

/// The contents of the failure page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The file's name.
    pub(crate) name: AttrValue,
    pub(crate) title: String,
    /// The words of whoever found the fault.
    pub(crate) detail: String,
    /// Commands and other things to try, the likeliest first.
    pub(crate) advice: Vec<Advice>,
}

/// One thing to try; `command` is shown as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) text: String,
    pub(crate) command: Option<String>,
}

impl Failure {
    /// The worker could not open the file.
    pub(crate) fn refused(name: AttrValue, refusal: &Refusal) -> Failure {
        match refusal {
            Refusal::Unreadable(why) => Failure {
                title: "The file could not be read".to_owned(),
                detail: why.clone(),
                advice: vec![
                    advice("The file may have been moved or changed since it was chosen: drop it again."),
                    advice("A file that wprof view serves must still be there, and wprof must still be running."),
                ],
                name,
            },
            Refusal::Cancelled => Failure {
                title: "Opening was cancelled".to_owned(),
                detail: "nothing was kept of the file".to_owned(),
                advice: vec![advice("Drop it again to open it.")],
                name,
            },
            Refusal::NoSampleTypes => Failure {
                title: "The profile is empty".to_owned(),
                detail: "it is a valid pprof file, but it lists no sample types, so there is nothing to count"
                    .to_owned(),
                advice: vec![record()],
                name,
            },
            Refusal::Undecodable { error, fault: Fault::TooLarge, .. } => Failure::too_large(name, error),
            Refusal::Undecodable { error, fault, n_bytes, head } => {
                let head = if *fault == Fault::Empty { &[][..] } else { head };
                let Guess { title, advice } = guess(&name, *n_bytes, head);
                Failure { title, detail: error.clone(), advice, name }
            }
        }
    }

    fn too_large(name: AttrValue, error: &str) -> Failure {
        Failure {
            title: "The profile is too large for a browser page".to_owned(),
            detail: error.to_owned(),
            advice: vec![with_command("The terminal can take more:", format!("wprof top {name}"))],
            name,
        }
    }

    /// The worker panicked: our fault, whatever the file.
    pub(crate) fn panicked(name: AttrValue, message: &str) -> Failure {
        Failure {
            title: "wprof made a mistake".to_owned(),
            detail: message.to_owned(),
            advice: vec![
                advice(
                    "This is a bug in the viewer, not in your file. The viewer has restarted; other files will open.",
                ),
                with_command("The reports in the terminal may still work:", format!("wprof top {name}")),
            ],
            name,
        }
    }

    /// The worker ended without being able to say why: the memory of the page ran out, or the fault is ours.
    pub(crate) fn died(name: AttrValue, message: &str) -> Failure {
        Failure {
            title: "The viewer's worker stopped".to_owned(),
            detail: if message.is_empty() { "it gave no reason".to_owned() } else { message.to_owned() },
            advice: vec![
                advice("The profile may be too large for the memory of a browser page."),
                with_command("The terminal has no such limit:", format!("wprof top {name}")),
                advice("If it is small, the fault is wprof's: please report it, with the file if you can."),
            ],
            name,
        }
    }
}

struct Guess {
    title: String,
    advice: Vec<Advice>,
}

/// Says what the bytes look like, since people drop the file beside the one they meant.
fn guess(name: &str, n_bytes: u64, head: &[u8]) -> Guess {
    let (title, advice) = match head {
        [] => (
            "The file is empty",
            vec![
                advice("Was the program still running, or stopped by force? Profiles are written when it ends."),
                record(),
            ],
        ),
        [b'\0', b'a', b's', b'm', ..] => (
            "This is a WebAssembly module, not a profile of one",
            vec![with_command("Run it under wprof to make one:", format!("wprof run {name}"))],
        ),
        [0x7f, b'E', b'L', b'F', ..] => ("This is a native program, not a profile", vec![record()]),
        [b'P', b'E', b'R', b'F', b'I', b'L', b'E', b'2', ..] => (
            "This is a recording of Linux perf",
            vec![with_command("Convert it to pprof first:", format!("perf_to_profile -i {name} -o perf.pb.gz"))],
        ),
        [b'{' | b'[', ..] => (
            "This is JSON, but not a profile that wprof reads",
            vec![advice(
                "Of the formats in JSON wprof reads speedscope's. Recordings of Chrome and Firefox open in their own viewers.",
            )],
        ),
        [b'<', ..] => (
            "This is a web page or XML, not a profile",
            vec![advice("A download that failed often leaves a page with the reason: open it in a text editor.")],
        ),
        [0x1f, 0x8b, ..] => (
            "The profile is cut short or damaged",
            vec![
                advice(&format!(
                    "Only {n_bytes} bytes are here. Copy the file again, in binary mode, once the program has ended."
                )),
                with_command("Check the compression:", format!("gzip -t {name}")),
            ],
        ),
        _ => (
            "This is not a pprof profile, or it is damaged",
            vec![
                advice(
                    "wprof opens pprof files, gzipped or not (cpu.prof, heap.prof, *.pb.gz, *.pprof), the formats before them, folded stacks and speedscope's JSON.",
                ),
                record(),
            ],
        ),
    };
    Guess { title: title.to_owned(), advice }
}

fn advice(text: &str) -> Advice {
    Advice { text: text.to_owned(), command: None }
}

fn with_command(text: &str, command: String) -> Advice {
    Advice { text: text.to_owned(), command: Some(command) }
}

fn record() -> Advice {
    with_command("Record a new one:", "wprof run mod.wasm".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &[u8], title: &str, command: Option<&str>) {
        let refusal = Refusal::Undecodable {
            error: "unexpected end".to_owned(),
            fault: Fault::Other,
            n_bytes: 9,
            head: head.to_vec(),
        };
        let failure = Failure::refused("x.prof".into(), &refusal);
        assert_eq!(failure.title, title);
        assert_eq!(failure.detail, "unexpected end");
        let first_command = failure.advice.iter().find_map(|advice| advice.command.as_deref());
        assert_eq!(first_command, command);
    }

    #[test]
    fn the_bytes_tell_what_was_dropped_instead() {
        check(b"", "The file is empty", Some("wprof run mod.wasm"));
        check(b"\0asm\x01", "This is a WebAssembly module, not a profile of one", Some("wprof run x.prof"));
        check(b"{\"a\":", "This is JSON, but not a profile that wprof reads", None);
        check(b"<!doctype", "This is a web page or XML, not a profile", None);
        check(b"\x1f\x8b\x08", "The profile is cut short or damaged", Some("gzip -t x.prof"));
        check(b"hello", "This is not a pprof profile, or it is damaged", Some("wprof run mod.wasm"));
    }

    #[test]
    fn a_panic_is_owned_up_to() {
        let failure = Failure::panicked("x.prof".into(), "index out of bounds");
        assert_eq!(failure.title, "wprof made a mistake");
        assert_eq!(failure.detail, "index out of bounds");
    }
}
