//! Which import a call leads to, read from the call instruction itself.
//!
//! wasmtime tells that the guest is in a host call, not in which. But the leaf frame's offset is that of its call
//! instruction, and a direct call to an imported function names it.

use wasmparser::{BinaryReader, Operator, OperatorsReader};

use super::binary::CoreModule;

/// Where a call leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To an imported function, as `module.name`.
    Import(String),
    /// Through a table or a reference, so only the running guest knows.
    Unknown,
}

/// `None` when the instruction at `offset` does not leave its module.
pub(super) fn target(bytes: &[u8], offset: u32, module: &CoreModule<'_>) -> Option<Target> {
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
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::binary::Binary;

    #[test]
    fn calls_out_of_the_guest_name_their_import() {
        let bytes = wat::parse_str(
            r#"(module
                (import "wasi:io/poll" "poll" (func $poll))
                (import "env" "log" (func $log))
                (table 1 funcref)
                (func $own)
                (func
                    call $poll
                    call $log
                    call $own
                    (call_indirect (i32.const 0))))"#,
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
        assert_eq!(at(&[0x41, 0]), None, "not a call");
    }
}
