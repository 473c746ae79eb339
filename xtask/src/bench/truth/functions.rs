//! Which function of a module's file has which bytes.

use std::ops::Range;

use anyhow::{Result, bail};
use wasmparser::{Encoding, Parser, Payload};

/// The bodies of one core module, in the file's order, which is that of their indices.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Functions {
    bodies: Vec<Range<u64>>,
}

impl Functions {
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { encoding: Encoding::Component, .. } => bail!("a component, not a core module"),
                Payload::CodeSectionEntry(body) => bodies.push(body.range().start as u64..body.range().end as u64),
                _ => {}
            }
        }
        Ok(Self { bodies })
    }

    pub(super) fn n(&self) -> usize {
        self.bodies.len()
    }

    /// Which of the bodies has the byte at this offset of the file.
    pub(super) fn at(&self, offset: u64) -> Option<usize> {
        let idx = self.bodies.partition_point(|body| body.end <= offset);
        self.bodies.get(idx).is_some_and(|body| body.contains(&offset)).then_some(idx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_of_code_has_its_function() {
        let functions = Functions { bodies: vec![10..12, 13..20, 20..21] };
        let found: Vec<_> = [9, 10, 11, 12, 13, 19, 20, 21].map(|offset| functions.at(offset)).into();
        assert_eq!(found, [None, Some(0), Some(0), None, Some(1), Some(1), Some(2), None]);
    }
}
