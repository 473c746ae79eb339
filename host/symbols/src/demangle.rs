//! Readable names from mangled ones: Rust (legacy and v0) and C++.

use std::borrow::Cow;
use std::fmt::{self, Write};

use cpp_demangle::{DemangleOptions, Symbol};

/// A demangled name may be far longer than the mangled one, as it refers back to its own parts. Past this it is
/// no help to a reader, and the mangled name is shown.
const MAX_LEN: usize = 64 * 1024;

/// The readable form of a name, or the name itself when it is not mangled. Rust's hash suffix is dropped.
#[must_use]
pub fn demangle(raw: &str) -> Cow<'_, str> {
    if let Ok(name) = rustc_demangle::try_demangle(raw) {
        let mut text = Bounded(String::new());
        // `#` leaves out the hash.
        if write!(text, "{name:#}").is_ok() {
            return Cow::Owned(text.0);
        }
    } else if raw.starts_with("_Z") || raw.starts_with("__Z") {
        let mut text = Bounded(String::new());
        if let Ok(symbol) = Symbol::new(raw)
            && symbol.structured_demangle(&mut text, &DemangleOptions::default()).is_ok()
        {
            return Cow::Owned(text.0);
        }
    }
    Cow::Borrowed(raw)
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > MAX_LEN {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn names_become_readable() {
        for (raw, readable) in [
            ("_ZN4core3ptr4read17h0123456789abcdefE", "core::ptr::read"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
            ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"),
            ("c.malloc.malloc", "c.malloc.malloc"),
            ("runtime.mallocgc", "runtime.mallocgc"),
            ("_Zebra", "_Zebra"),
            ("<script>", "<script>"),
            ("", ""),
        ] {
            assert_eq!(demangle(raw), readable, "{raw}");
        }
    }

    #[test]
    fn a_name_that_explodes_stays_mangled() {
        // Each pair doubles the one before by referring back to it.
        let bomb = format!("_Z1f{}{}", "St4pairIiiE", "S_IS0_S0_E".repeat(40));
        let shown = demangle(&bomb);
        assert!(shown.len() <= super::MAX_LEN.max(bomb.len()));
    }
}
