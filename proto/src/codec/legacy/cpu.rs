//! gperftools' CPU profiles: machine words of 32 or 64 bits, of either byte order.
//!
//! A header of five words: 0, 3, 0 (or 1 of a Java program), the period in microseconds, 0. Samples: a count, a number
//! of frames, and as many addresses. A sample of count 0 with the one address 0 ends them. The memory map follows.

use std::collections::HashMap;

use super::draft::{Draft, Leaf};
use super::java::read_names;
use super::lines::Lines;
use super::{Reading, Refusal};
use crate::codec::error::{Error, ErrorKind, Format};

/// How a number lies in the file.
#[derive(Debug, Clone, Copy)]
enum Word {
    Little32,
    Big32,
    Little64,
    Big64,
}

/// What is left of a file, read word by word.
#[derive(Debug, Clone, Copy)]
struct Words<'a> {
    rest: &'a [u8],
    word: Word,
}

impl Words<'_> {
    /// The next word; what is left over at the end of the file, and too little for one, is passed over.
    fn next(&mut self) -> Option<u64> {
        let rest = self.rest;
        let word = match self.word {
            Word::Little32 => rest.split_first_chunk().map(|(it, rest)| (u64::from(u32::from_le_bytes(*it)), rest)),
            Word::Big32 => rest.split_first_chunk().map(|(it, rest)| (u64::from(u32::from_be_bytes(*it)), rest)),
            Word::Little64 => rest.split_first_chunk().map(|(it, rest)| (u64::from_le_bytes(*it), rest)),
            Word::Big64 => rest.split_first_chunk().map(|(it, rest)| (u64::from_be_bytes(*it), rest)),
        };
        let (word, rest) = word.map_or((None, &b""[..]), |(word, rest)| (Some(word), rest));
        self.rest = rest;
        word
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Cpp,
    Java,
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    for word in [Word::Little32, Word::Big32, Word::Little64, Word::Big64] {
        let mut words = Words { rest: bytes, word };
        let language = match std::array::from_fn(|_| words.next()) {
            [Some(0), Some(3), Some(0), Some(1..), Some(0)] => Language::Cpp,
            [Some(0), Some(3), Some(1), Some(1..), Some(0)] => Language::Java,
            _ => continue,
        };
        let mut header = Words { rest: bytes, word };
        let period_micros = std::iter::from_fn(|| header.next()).nth(3).unwrap_or_default();
        return Ok(read_profile(words, period_micros, language, bytes.len())?);
    }
    Err(Refusal::Unrecognized(None))
}

fn read_profile(
    mut words: Words<'_>,
    period_micros: u64,
    language: Language,
    len: usize,
) -> Result<crate::Profile, Error> {
    let period = period_micros.cast_signed().wrapping_mul(1000);
    let mut draft = Draft::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    draft.header().period("cpu", "nanoseconds", period);
    let mut stack = Vec::new();
    while !words.rest.is_empty() {
        let offset = len - words.rest.len();
        let count = read_sample(&mut words, &mut stack, offset)?;
        if count == 0 && stack == [0] {
            break;
        }
        if language == Language::Cpp {
            stack.iter_mut().skip(1).for_each(|it| *it = it.wrapping_sub(1));
        }
        let count = count.cast_signed();
        draft.push(stack.drain(..), &[count, count.wrapping_mul(period)]);
    }
    let mut lines = Lines::new(words.rest, Format::Cpu);
    match language {
        Language::Cpp => {
            remove_signal_handlers(&mut draft);
            let map = super::map_text::read(&mut lines);
            draft.finish_with(map, Leaf::MaybeTwice)
        }
        Language::Java => {
            let names = read_names(lines, &draft)?;
            draft.finish_named(&names)
        }
    }
}

/// Reads one sample's frames, and gives its count.
///
/// pprof takes a sample that the end of the file cuts short if a quarter as many frames as there are bytes would do,
/// and fills it up with zeros; so it is here.
fn read_sample(words: &mut Words<'_>, stack: &mut Vec<u64>, offset: usize) -> Result<u64, Error> {
    let refuse = |found, expected| ErrorKind::Legacy { format: Format::Cpu, found, expected }.at(offset);
    let (Some(count), Some(n_frames)) = (words.next(), words.next()) else {
        return Err(refuse("the end of the file".to_owned(), "a sample's count and number of frames"));
    };
    let left = words.rest.len();
    let n_frames = usize::try_from(n_frames)
        .ok()
        .filter(|it| *it <= left / 4)
        .ok_or_else(|| refuse(format!("a stack of {n_frames} frames"), "no more than the rest of the file holds"))?;
    stack.clear();
    stack.extend((0..n_frames).map(|_| words.next().unwrap_or(0)));
    Ok(count)
}

/// Removes up to two callers of the leaf that nearly all stacks have: the signal handler that recorded them.
fn remove_signal_handlers(draft: &mut Draft) {
    // One stack in so many may be without.
    const SIMILAR: usize = 32;
    for _ in 0..2 {
        let mut n_stacks: HashMap<u64, usize> = HashMap::new();
        for stack in draft.stacks.iter() {
            if let Some(caller) = stack.get(1) {
                *n_stacks.entry(*caller).or_default() += 1;
            }
        }
        let n_samples = draft.stacks.len();
        let common = n_stacks.into_iter().find(|(_, n)| n_samples - n_samples / SIMILAR <= *n);
        if let Some((handler, _)) = common {
            draft.stacks.remove_callers(|_, caller| caller == handler);
        }
    }
}
