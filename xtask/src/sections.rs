//! Copies of a module that lack some of its custom sections, as other toolchains ship them.

use anyhow::{Context, Result};
use wasm_encoder::{Module, RawSection};
use wasmparser::{Parser, Payload};

/// The module without the custom sections that `leave_out` names; all else is copied byte for byte.
pub(crate) fn without_custom(module: &[u8], leave_out: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let mut copy = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("parse a guest")?;
        if matches!(&payload, Payload::CustomSection(section) if leave_out(section.name())) {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            copy.section(&RawSection { id, data: module.get(range).context("a section lies in its module")? });
        }
    }
    Ok(copy.finish())
}

/// Whether a custom section is DWARF.
pub(crate) fn is_dwarf(name: &str) -> bool {
    name.starts_with(".debug_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::CustomSection;

    #[test]
    fn leaves_out_what_is_named_and_keeps_the_rest() {
        let mut module = Module::new();
        for name in ["name", ".debug_line", "producers"] {
            module.section(&CustomSection { name: name.into(), data: name.as_bytes().into() });
        }
        let mut expected = Module::new();
        for name in ["name", "producers"] {
            expected.section(&CustomSection { name: name.into(), data: name.as_bytes().into() });
        }
        assert_eq!(without_custom(&module.finish(), is_dwarf).unwrap(), expected.finish());
    }
}
