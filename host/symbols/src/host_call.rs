//! What the host does for the guest, read from the instruction that asks for it.
//!
//! A sample tells that the guest has called the host, not what for. But the leaf frame's offset is that of its
//! instruction: a direct call to an imported function names it, and some instructions are work that wasmtime does itself.

use wasmparser::{BinaryReader, Operator, OperatorsReader};

use crate::binary::CoreModule;

/// Where a call leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To an imported function, as `module.name`.
    Import(String),
    /// To wasmtime's own code for this instruction.
    Builtin(&'static str),
    /// Through a table or a reference, so only the running guest knows.
    Unknown,
}

/// `None` when the instruction at `offset` is the guest's alone.
pub(crate) fn target(bytes: &[u8], offset: u32, module: &CoreModule<'_>) -> Option<Target> {
    let at = offset as usize;
    let code = bytes.get(at..)?;
    match OperatorsReader::new(BinaryReader::new(code, at)).read().ok()? {
        Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
            let (module, name) = module.imports.get(function_index as usize)?;
            // Interfaces of the component model are joined to their functions by `#`, as in WIT.
            let joint = if module.contains(':') { '#' } else { '.' };
            Some(Target::Import(format!("{module}{joint}{name}")))
        }
        Operator::CallIndirect { .. }
        | Operator::ReturnCallIndirect { .. }
        | Operator::CallRef { .. }
        | Operator::ReturnCallRef { .. } => Some(Target::Unknown),
        operator => builtin(&operator).map(Target::Builtin),
    }
}

/// The names of instructions for which compiled code calls wasmtime.
fn builtin(operator: &Operator<'_>) -> Option<&'static str> {
    Some(match operator {
        Operator::MemoryCopy { .. } => "memory.copy",
        Operator::MemoryFill { .. } => "memory.fill",
        Operator::MemoryInit { .. } => "memory.init",
        Operator::MemoryGrow { .. } => "memory.grow",
        Operator::DataDrop { .. } => "data.drop",
        Operator::MemoryAtomicNotify { .. } => "memory.atomic.notify",
        Operator::MemoryAtomicWait32 { .. } => "memory.atomic.wait32",
        Operator::MemoryAtomicWait64 { .. } => "memory.atomic.wait64",
        Operator::TableCopy { .. } => "table.copy",
        Operator::TableFill { .. } => "table.fill",
        Operator::TableInit { .. } => "table.init",
        Operator::TableGrow { .. } => "table.grow",
        Operator::TableGet { .. } => "table.get",
        Operator::TableSet { .. } => "table.set",
        Operator::ElemDrop { .. } => "elem.drop",
        Operator::RefFunc { .. } => "ref.func",
        Operator::StructNew { .. } => "struct.new",
        Operator::StructNewDefault { .. } => "struct.new_default",
        Operator::ArrayNew { .. } => "array.new",
        Operator::ArrayNewDefault { .. } => "array.new_default",
        Operator::ArrayNewFixed { .. } => "array.new_fixed",
        Operator::ArrayNewData { .. } => "array.new_data",
        Operator::ArrayNewElem { .. } => "array.new_elem",
        Operator::ArrayCopy { .. } => "array.copy",
        Operator::ArrayFill { .. } => "array.fill",
        Operator::ArrayInitData { .. } => "array.init_data",
        Operator::ArrayInitElem { .. } => "array.init_elem",
        Operator::Throw { .. } => "throw",
        Operator::ThrowRef => "throw_ref",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::Binary;

    #[test]
    fn calls_out_of_the_guest_name_their_import() {
        let bytes = wat::parse_str(
            r#"(module
                (import "wasi:io/poll" "poll" (func $poll))
                (import "env" "log" (func $log))
                (table 1 funcref)
                (memory 1)
                (func $own)
                (func
                    call $poll
                    call $log
                    call $own
                    (call_indirect (i32.const 0))
                    (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))))"#,
        )
        .unwrap();
        let binary = Binary::parse(&bytes, &mut Vec::new());
        let at = |code: &[u8]| {
            let offset = bytes.windows(code.len()).position(|window| window == code).unwrap();
            target(&bytes, u32::try_from(offset).unwrap(), &binary.modules[0])
        };
        assert_eq!(at(&[0x10, 0]), Some(Target::Import("wasi:io/poll#poll".to_owned())));
        assert_eq!(at(&[0x10, 1]), Some(Target::Import("env.log".to_owned())));
        assert_eq!(at(&[0x10, 2]), None, "a function of its own");
        assert_eq!(at(&[0x11, 0, 0]), Some(Target::Unknown));
        assert_eq!(at(&[0xfc, 0x0b, 0]), Some(Target::Builtin("memory.fill")));
        assert_eq!(at(&[0x41, 0]), None, "not a call");
    }
}
