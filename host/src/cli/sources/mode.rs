//! `--symbolize`: where the names of addresses come from.

use proto::analysis::Names;

/// What to look names up in, and what to call functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Symbolize {
    /// Ask the server that a profile came from.
    pub(super) remote: bool,
    /// Read the modules that a profile names, where they are on this machine.
    pub(super) local: bool,
    /// Look up what has names already, too.
    pub(super) force: bool,
    names: Names,
    /// Options that are none.
    unknown: Option<String>,
}

/// Everything there is.
impl Default for Symbolize {
    fn default() -> Self {
        Self { remote: true, local: true, force: false, names: Names::Simplified, unknown: None }
    }
}

impl Symbolize {
    /// Reads the option as pprof does (`none`, `local`, `fastlocal`, `remote`, `force`, `demangle=…`, joined by `:`).
    /// What it does not know is passed over, with a warning when it is used.
    pub(in crate::cli) fn parse(mode: &str) -> Self {
        let mut parsed = Self::default();
        for option in mode.to_lowercase().split(':') {
            match option {
                "" | "demangle=default" => {}
                "none" | "no" => {
                    return Self { remote: false, local: false, force: false, names: Names::AsGiven, unknown: None };
                }
                "local" | "fastlocal" => (parsed.remote, parsed.local) = (false, true),
                "remote" => (parsed.remote, parsed.local) = (true, false),
                "force" => parsed.force = true,
                // pprof looks all names up again for these. The profile's own system names are as good.
                "demangle=none" | "demangle=full" | "demangle=templates" => parsed.names = Names::System,
                _ => parsed.unknown = Some(mode.to_owned()),
            }
        }
        parsed
    }

    /// What [`prepare`](proto::analysis::prepare) is to call functions.
    pub(in crate::cli) fn names(&self) -> Names {
        self.names
    }

    /// What to say of options that are none, in pprof's words.
    pub(super) fn warning(&self) -> Option<String> {
        let expected = "[local|fastlocal|remote|none][:force][:demangle=[none|full|templates|default]";
        let unknown = self.unknown.as_ref()?;
        Some(format!("ignoring unrecognized symbolization option: {unknown}\nexpecting -symbolize={expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_pprofs() {
        let check = |mode: &str, places: &str, names: Names| {
            let parsed = Symbolize::parse(mode);
            let places_of = [(parsed.remote, "remote"), (parsed.local, "local"), (parsed.force, "force")];
            let found: Vec<_> = places_of.into_iter().filter(|it| it.0).map(|it| it.1).collect();
            assert_eq!((found.join(" ").as_str(), parsed.names()), (places, names), "{mode}");
            assert_eq!(parsed.warning(), None, "{mode}");
        };
        check("", "remote local", Names::Simplified);
        check("none", "", Names::AsGiven);
        check("force:NO", "", Names::AsGiven);
        check("local", "local", Names::Simplified);
        check("fastlocal:force", "local force", Names::Simplified);
        check("Remote", "remote", Names::Simplified);
        check("demangle=none", "remote local", Names::System);
        check("remote:demangle=default", "remote", Names::Simplified);
    }

    #[test]
    fn an_unknown_option_is_said() {
        let mode = Symbolize::parse("local:Bogus");
        assert_eq!((mode.local, mode.remote), (true, false));
        let warning = mode.warning().unwrap();
        assert!(warning.starts_with("ignoring unrecognized symbolization option: local:Bogus\nexpecting"), "{warning}");
    }
}
