//! A core module cut down to some of its functions: printed, these read as in the whole module, in a fraction of the
//! time.

use std::ops::Range;

use wasmparser::{Parser, Payload};

/// The body of a function that nobody asked for: its size, no locals, `end`.
const EMPTY_BODY: [u8; 3] = [2, 0, 0x0b];

/// Sections that the text of a function depends on: what it calls and which types it names. Printing data or DWARF
/// would take longer than all else.
const NEEDED: [&str; 2] = ["name", "metadata.code.branch_hint"];

/// The module, and where its code was.
#[derive(Debug)]
pub(crate) struct Skeleton {
    pub(crate) bytes: Vec<u8>,
    /// Where in `bytes` each function's body is now, ascending, and where in the file it was.
    kept: Vec<(Range<usize>, u32)>,
}

impl Skeleton {
    /// Of the module at `range` of the file, with the functions whose bodies are `wanted`, ascending.
    ///
    /// # Errors
    ///
    /// If the module is broken.
    pub(crate) fn new(file: &[u8], range: &Range<usize>, wanted: &[Range<u32>]) -> Result<Self, String> {
        let module = file.get(range.clone()).unwrap_or_default();
        let mut skeleton = Self { bytes: Vec::new(), kept: Vec::new() };
        let mut code = Code::default();
        for payload in Parser::new(range.start as u64).parse_all(module) {
            let payload = payload.map_err(|error| error.to_string())?;
            let contents = |range: Range<usize>| file.get(range).unwrap_or_default();
            match &payload {
                Payload::Version { range, .. } => skeleton.bytes.extend_from_slice(contents(range.clone())),
                Payload::TypeSection(_)
                | Payload::ImportSection(_)
                | Payload::FunctionSection(_)
                | Payload::TagSection(_) => {}
                Payload::CustomSection(section) if NEEDED.contains(&section.name()) => {}
                Payload::CodeSectionStart { count, .. } => {
                    leb128(&mut code.contents, *count as usize);
                    code.n_left = *count;
                    continue;
                }
                Payload::CodeSectionEntry(body) => {
                    code.add(&body.range(), contents(body.range()), wanted);
                    if code.n_left == 0 {
                        skeleton.push_code(&code);
                    }
                    continue;
                }
                _ => continue,
            }
            if let Some((id, range)) = payload.as_section() {
                skeleton.push(id, contents(range));
            }
        }
        Ok(skeleton)
    }

    /// Which of the wanted functions has this offset of [`bytes`](Self::bytes), and what it was in the file.
    pub(crate) fn place(&self, offset: usize) -> Option<(usize, u32)> {
        let idx = self.kept.partition_point(|(body, _)| body.start <= offset).checked_sub(1)?;
        let (body, start) = self.kept.get(idx).filter(|(body, _)| body.contains(&offset))?;
        Some((idx, start + u32::try_from(offset - body.start).ok()?))
    }

    fn push(&mut self, id: u8, contents: &[u8]) {
        self.bytes.push(id);
        leb128(&mut self.bytes, contents.len());
        self.bytes.extend_from_slice(contents);
    }

    fn push_code(&mut self, code: &Code) {
        /// Its number among the sections.
        const CODE: u8 = 10;
        self.push(CODE, &code.contents);
        let base = self.bytes.len() - code.contents.len();
        let kept = code.kept.iter().map(|(body, start)| (body.start + base..body.end + base, *start));
        self.kept = kept.collect();
    }
}

/// The code section as it is being made.
#[derive(Debug, Default)]
struct Code {
    n_left: u32,
    contents: Vec<u8>,
    kept: Vec<(Range<usize>, u32)>,
}

impl Code {
    fn add(&mut self, range: &Range<usize>, body: &[u8], wanted: &[Range<u32>]) {
        self.n_left = self.n_left.saturating_sub(1);
        let found = wanted.binary_search_by_key(&range.start, |it| it.start as usize);
        let Some(wanted) = found.ok().and_then(|it| wanted.get(it)) else {
            return self.contents.extend(EMPTY_BODY);
        };
        leb128(&mut self.contents, body.len());
        self.kept.push((self.contents.len()..self.contents.len() + body.len(), wanted.start));
        self.contents.extend_from_slice(body);
    }
}

/// A number as wasm writes lengths.
fn leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        // The mask leaves what fits.
        let byte = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}
