//! Errors in the words of Go's programs, where a report is to say what pprof says.

use std::io;

/// An error of the system, without its number and in lower case: `no such file or directory`.
pub(crate) fn go_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split_once(" (os error").map_or(text.as_str(), |it| it.0);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_lower_case_and_without_a_number() {
        let missing = std::fs::read("no/such/file").unwrap_err();
        assert_eq!(go_error(&missing), "no such file or directory");
        assert_eq!(go_error(&io::Error::other("")), "");
        assert_eq!(go_error(&io::Error::other("Ärger")), "ärger");
    }
}
