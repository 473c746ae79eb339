//! The address map: where every byte of the code was.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmparser::{Operator, Parser, Payload};
use wprof::heap::hook::{Hook, Kind};
use wprof::heap::rewrite::{AddressMap, CoreRewrite, Origin};

/// Checks that all of the original's code is in the rewritten one, once and in order, but for what had to change in the
/// hooked functions: their lengths and how many groups of locals they have, `return`s, and the opcodes of tail calls.
pub(crate) fn check(original: &[u8], hooks: &[Hook], rewrite: &CoreRewrite) {
    let (old, mut may_go) = code(original, hooks);
    let (new, _) = code(&rewrite.bytes, &[]);
    let map = AddressMap::new(rewrite.segments.clone());
    let (mut at, mut copied) = (new.start, old.start);
    for segment in &rewrite.segments {
        let range = segment.new.start as usize..segment.new.end as usize;
        assert_eq!(range.start, at, "stretches of code lie side by side");
        at = range.end;
        let Origin::Copied(start) = segment.origin else { continue };
        let from = start as usize..start as usize + range.len();
        assert_eq!(rewrite.bytes[range], original[from.clone()], "what is copied is the same");
        for new in [segment.new.start, segment.new.end.saturating_sub(1)] {
            if segment.new.contains(&new) {
                assert_eq!(map.map(new), Some(start + (new - segment.new.start)));
            }
        }
        assert!(from.start >= copied, "nothing is copied twice");
        while copied < from.start {
            copied = may_go.remove(&copied).filter(|end| *end <= from.start).expect("what is not copied had to change");
        }
        copied = from.end;
    }
    assert_eq!((at, copied), (new.end, old.end), "to the end");
    assert_eq!(may_go, BTreeMap::new(), "all that had to change has changed");
}

/// Where the code entries lie, and which stretches of them, start and end, must change if these functions are hooked.
fn code(module: &[u8], hooks: &[Hook]) -> (Range<usize>, BTreeMap<usize, usize>) {
    let hooked: BTreeMap<u32, Kind> = hooks.iter().map(|hook| (hook.function, hook.kind)).collect();
    let (mut all, mut changed) = (0..0, BTreeMap::new());
    let (mut function, mut at) = (0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::ImportSection(imports) => {
                let imports = imports.into_imports().map(Result::unwrap);
                let is_function = |ty| matches!(ty, wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_));
                function = u32::try_from(imports.filter(|import| is_function(import.ty)).count()).unwrap();
            }
            Payload::CodeSectionStart { range, .. } => {
                at = after_number(module, range.start);
                all = at..range.end;
            }
            Payload::CodeSectionEntry(body) => {
                if let Some(kind) = hooked.get(&function) {
                    let is_wrapped = !matches!(kind, Kind::Free { .. });
                    let locals = body.range().start;
                    changed.insert(at, if is_wrapped { after_number(module, locals) } else { locals });
                    let operators = body.get_operators_reader().unwrap().into_iter_with_offsets();
                    for (operator, offset) in operators.map(Result::unwrap).filter(|_| is_wrapped) {
                        match operator {
                            Operator::Return
                            | Operator::ReturnCall { .. }
                            | Operator::ReturnCallIndirect { .. }
                            | Operator::ReturnCallRef { .. } => drop(changed.insert(offset, offset + 1)),
                            _ => {}
                        }
                    }
                }
                function += 1;
                at = body.range().end;
            }
            _ => {}
        }
    }
    (all, changed)
}

/// Where the number ends that begins here.
fn after_number(bytes: &[u8], at: usize) -> usize {
    at + 1 + bytes[at..].iter().take_while(|byte| **byte & 0x80 != 0).count()
}
