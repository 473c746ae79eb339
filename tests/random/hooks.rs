//! Takes random functions for an allocator's.

use fastrand::Rng;
use wasmparser::{CompositeInnerType, FuncType, MemoryType, Parser, Payload, TypeRef, ValType};
use wprof::heap::hook::{Hook, Kind, Size};

/// What of a module says which functions may be hooked, and as what.
#[derive(Default)]
struct Signatures {
    types: Vec<Option<FuncType>>,
    functions: Vec<u32>,
    n_imported: usize,
    memory: Option<MemoryType>,
}

/// Some of the functions that fit, as any kind that fits.
pub(crate) fn hooks(module: &[u8], random: &mut Rng) -> Vec<Hook> {
    let signatures = Signatures::read(module);
    let mut hooks = Vec::new();
    for (function, ty) in signatures.functions.iter().enumerate().skip(signatures.n_imported) {
        let Some(ty) = &signatures.types[*ty as usize] else { continue };
        if random.u8(..10) == 0 {
            continue;
        }
        if let Some(kind) = kind(ty, signatures.memory, random) {
            let name = format!("function {function} as {kind:?}");
            hooks.push(Hook { module: 0, function: u32::try_from(function).unwrap(), name, kind });
        }
    }
    hooks
}

fn kind(ty: &FuncType, memory: Option<MemoryType>, random: &mut Rng) -> Option<Kind> {
    let is_integer = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
    let integers: Vec<u32> = (0..).zip(ty.params()).filter(|(_, ty)| is_integer(ty)).map(|(n, _)| n).collect();
    let any = |random: &mut Rng| random.choice(&integers).copied();
    let (block, each) = (any(random)?, any(random)?);
    let size = if random.u8(..3) > 0 { Size::Param(any(random)?) } else { Size::Product(any(random)?, each) };
    let bias = [0, 0, 8, -8][random.usize(..4)];
    let may_allocate = ty.results().len() == 1 && is_integer(&ty.results()[0]);
    let address = memory.map(|memory| if memory.memory64 { ValType::I64 } else { ValType::I32 });
    Some(match random.u8(..4) {
        1 if may_allocate => Kind::Realloc { block, size, bias },
        2 if may_allocate && address == Some(ty.params()[block as usize]) => Kind::AllocInto { out: block, size },
        1..=3 if may_allocate => Kind::Alloc { size, bias },
        _ => Kind::Free { block, bias },
    })
}

impl Signatures {
    fn read(module: &[u8]) -> Self {
        let mut it = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::TypeSection(groups) => {
                    for ty in groups.into_iter().flat_map(|group| group.unwrap().into_types()) {
                        it.types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(ty),
                            _ => None,
                        });
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        match import.unwrap().ty {
                            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => it.functions.push(ty),
                            TypeRef::Memory(ty) => drop(it.memory.get_or_insert(ty)),
                            _ => {}
                        }
                    }
                    it.n_imported = it.functions.len();
                }
                Payload::FunctionSection(functions) => it.functions.extend(functions.into_iter().map(Result::unwrap)),
                Payload::MemorySection(memories) => {
                    if let Some(memory) = memories.into_iter().next() {
                        it.memory.get_or_insert(memory.unwrap());
                    }
                }
                _ => {}
            }
        }
        it
    }
}
