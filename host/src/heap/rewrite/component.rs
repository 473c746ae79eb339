//! Rewriting the core modules inside a component, however deep they are nested.
//!
//! A core module's index spaces end where it ends, and a rewritten one imports and exports what the original did. So
//! nothing in the component is changed but the modules' bytes, and the lengths of the sections that they stand in.

use std::collections::BTreeMap;
use std::ops::Range;

use wasm_encoder::Encode;
use wasmparser::{BinaryReader, Parser};

use super::map::{Origin, Segment};
use super::module::{CoreRewrite, rewrite_module};
use crate::heap::bell::MAX_HOOKS;
use crate::heap::hook::Hook;

/// A rewritten component.
#[derive(Debug)]
pub struct ComponentRewrite {
    /// The new component.
    pub bytes: Vec<u8>,
    /// Where its code was; offsets count from the component's first byte.
    pub segments: Vec<Segment>,
    /// Core modules that were left as they are, by number, and why.
    pub skipped: Vec<(usize, String)>,
}

/// Ids of the sections that hold modules and components (component model, binary format).
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// Magic number, version and layer.
const HEADER: usize = 8;

/// Hooks functions of a component's core modules. A hook's number is its place in the
/// slice; modules count in file order, those of nested components too.
///
/// # Errors
///
/// Says why none of the modules can be rewritten; the component is to run as it is then.
pub fn rewrite_component(bytes: &[u8], hooks: &[Hook]) -> Result<ComponentRewrite, String> {
    if hooks.len() > MAX_HOOKS {
        return Err(format!(
            "it has {} allocator functions, more than the {MAX_HOOKS} that can be told apart",
            hooks.len()
        ));
    }
    let mut sections = sections(bytes)?;
    let skipped = rewrite_modules(bytes, hooks, &mut sections)?;
    measure(&mut sections)?;
    emit(bytes, &sections, skipped)
}

/// A section that holds a core module or a component.
#[derive(Debug)]
struct Section {
    /// Where its length stands.
    length: Range<usize>,
    contents: Range<usize>,
    /// The section that holds the component that this one stands in.
    parent: Option<usize>,
    /// What takes the place of its contents.
    rewrite: Option<CoreRewrite>,
    is_module: bool,
    /// Bytes of the contents that go, and that come for them, because of sections inside.
    removed: usize,
    added: usize,
    /// Length of its new contents, if they change.
    new_length: Option<usize>,
}

/// All sections with core modules and components, in file order.
fn sections(bytes: &[u8]) -> Result<Vec<Section>, String> {
    if !Parser::is_component(bytes) {
        return Err("it is not a component".to_owned());
    }
    let broken = |at: usize| format!("its layout cannot be read: a section at offset {at:#x} is cut short");
    let mut sections: Vec<Section> = Vec::new();
    // Components that are being read: where they end, and which section holds them.
    let mut open: Vec<(usize, Option<usize>)> = vec![(bytes.len(), None)];
    let mut at = HEADER;
    while let Some(&(end, parent)) = open.last() {
        if at == end {
            open.pop();
            continue;
        }
        let start = at;
        let mut reader = BinaryReader::new(bytes.get(at..end).ok_or_else(|| broken(start))?, at);
        let header = reader.read_u8().and_then(|id| {
            let length = reader.original_position();
            Ok((id, length, reader.read_var_u32()? as usize))
        });
        let (id, length, n_bytes) = header.map_err(|_cut| broken(start))?;
        let contents = reader.original_position()..reader.original_position().saturating_add(n_bytes);
        if contents.end > end {
            return Err(broken(start));
        }
        at = contents.end;
        if id != CORE_MODULE && id != COMPONENT {
            continue;
        }
        if id == COMPONENT {
            if n_bytes < HEADER {
                return Err(broken(start));
            }
            at = contents.start + HEADER;
            open.push((contents.end, Some(sections.len())));
        }
        let length = length..contents.start;
        let is_module = id == CORE_MODULE;
        let (removed, added) = (0, 0);
        sections.push(Section { length, contents, parent, rewrite: None, is_module, removed, added, new_length: None });
    }
    Ok(sections)
}

/// Rewrites the modules that have hooks. Returns those that could not be.
fn rewrite_modules(bytes: &[u8], hooks: &[Hook], sections: &mut [Section]) -> Result<Vec<(usize, String)>, String> {
    let mut by_module: BTreeMap<usize, Vec<(i32, &Hook)>> = BTreeMap::new();
    for (number, hook) in (0..).zip(hooks) {
        by_module.entry(hook.module).or_default().push((number, hook));
    }
    let mut skipped = Vec::new();
    let mut modules: Vec<&mut Section> = sections.iter_mut().filter(|section| section.is_module).collect();
    for (n, hooks) in by_module {
        let Some(section) = modules.get_mut(n) else {
            return Err(format!("core module {n} is not in it: it has {}", modules.len()));
        };
        match bytes.get(section.contents.clone()).map(|module| rewrite_module(module, &hooks, true)) {
            Some(Ok(rewrite)) => section.rewrite = Some(rewrite),
            Some(Err(reason)) => skipped.push((n, reason)),
            None => skipped.push((n, "it ends behind the file".to_owned())),
        }
    }
    match skipped.first() {
        Some((n, reason)) if modules.iter().all(|section| section.rewrite.is_none()) => {
            Err(format!("core module {n}: {reason}"))
        }
        _ => Ok(skipped),
    }
}

/// Computes the lengths of what changes. Inner sections stand behind the ones that hold them.
fn measure(sections: &mut [Section]) -> Result<(), String> {
    for n in (0..sections.len()).rev() {
        let Some(section) = sections.get_mut(n) else { continue };
        let new_length = match &section.rewrite {
            Some(rewrite) => rewrite.bytes.len(),
            None if section.added == 0 => continue,
            None => (section.contents.len() + section.added).saturating_sub(section.removed),
        };
        section.new_length = Some(new_length);
        let removed = section.contents.end - section.length.start;
        let added = leb(new_length)?.len() + new_length;
        if let Some(parent) = section.parent.and_then(|parent| sections.get_mut(parent)) {
            parent.removed += removed;
            parent.added += added;
        }
    }
    Ok(())
}

/// Copies everything but what changes.
fn emit(bytes: &[u8], sections: &[Section], skipped: Vec<(usize, String)>) -> Result<ComponentRewrite, String> {
    let mut out = Output { bytes: Vec::with_capacity(bytes.len() + bytes.len() / 64 + 4096), segments: Vec::new() };
    let mut copied = 0;
    for section in sections {
        let Some(new_length) = section.new_length else { continue };
        out.copy(bytes, copied..section.length.start)?;
        out.bytes.extend_from_slice(&leb(new_length)?);
        copied = section.contents.start;
        if let Some(rewrite) = &section.rewrite {
            let (new, old) = (offset(out.bytes.len())?, offset(section.contents.start)?);
            out.segments.extend(rewrite.segments.iter().map(|segment| segment.shifted(new, old)));
            out.bytes.extend_from_slice(&rewrite.bytes);
            copied = section.contents.end;
        }
    }
    out.copy(bytes, copied..bytes.len())?;
    offset(out.bytes.len())?;
    Ok(ComponentRewrite { bytes: out.bytes, segments: out.segments, skipped })
}

struct Output {
    bytes: Vec<u8>,
    segments: Vec<Segment>,
}

impl Output {
    fn copy(&mut self, bytes: &[u8], from: Range<usize>) -> Result<(), String> {
        let (start, old) = (offset(self.bytes.len())?, offset(from.start)?);
        self.bytes.extend_from_slice(bytes.get(from).ok_or("a section ends behind the file")?);
        self.segments.push(Segment { new: start..offset(self.bytes.len())?, origin: Origin::Copied(old) });
        Ok(())
    }
}

/// A length as it stands in the file.
fn leb(length: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    offset(length)?.encode(&mut bytes);
    Ok(bytes)
}

fn offset(n: usize) -> Result<u32, String> {
    u32::try_from(n).map_err(|_too_large| "it would be larger than 4 GiB".to_owned())
}

#[cfg(test)]
mod tests;
