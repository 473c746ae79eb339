//! The names under which the wasm asks for JavaScript's functions: wasm-bindgen's end in a hash each, which no compressor
//! makes smaller. They are 1 % of the bundle.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Output;

/// Names in wasm-bindgen's output as they were and as they are now.
pub(super) struct Renamed(Vec<(String, String)>);

/// Takes the hashes off the names in the module; the JavaScript that is written with it is to follow.
pub(super) fn shorten(output: &mut Output) -> Renamed {
    let mut taken = HashSet::new();
    let mut renamed = Vec::new();
    for import in output.wasm_mut().imports.iter_mut() {
        let stem = without_hash(&import.name);
        // `addEventListener` is there once with options and once without.
        let mut name = stem.to_owned();
        for n in 2.. {
            if taken.insert(name.clone()) {
                break;
            }
            name = format!("{stem}{n}");
        }
        renamed.push((std::mem::replace(&mut import.name, name.clone()), name));
    }
    Renamed(renamed)
}

impl Renamed {
    /// Renames in the JavaScript what is renamed in the module.
    pub(super) fn follow(&self, js: &Path) -> Result<()> {
        let mut text = fs::read_to_string(js).with_context(|| format!("read {}", js.display()))?;
        for (old, new) in self.0.iter().filter(|(old, new)| old != new) {
            let (key, new_key) = (format!(" {old}: "), format!(" {new}: "));
            ensure!(text.matches(&key).count() == 1, "{} does not define {old} once", js.display());
            text = text.replace(&key, &new_key);
        }
        fs::write(js, text).with_context(|| format!("write {}", js.display()))
    }
}

/// `__wbg_focus_0123456789abcdef` is `__wbg_focus`.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((stem, hash)) if hash.len() == 16 && hash.bytes().all(|it| it.is_ascii_hexdigit()) => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_are_taken_off() {
        for (name, expected) in [
            ("__wbg_focus_0123456789abcdef", "__wbg_focus"),
            ("__wbindgen_cast_0000000000000001", "__wbindgen_cast"),
            ("__wbg_set_onmessage", "__wbg_set_onmessage"),
            ("__wbg_get_12345678", "__wbg_get_12345678"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_hash(name), expected);
        }
    }
}
