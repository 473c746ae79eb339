//! A cursor over a protobuf message that knows its offset: prost's readers, with our errors.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::error::{Error, ErrorKind};

/// The bits that say of each of eight bytes that its number goes on.
const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// What is left of a message, and where it lies in the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// The offset of the end of `rest` in the whole message.
    end: usize,
}

/// Of a varint: 64 bits, seven in a byte.
const LONGEST_VARINT: usize = 10;

/// Nobody writes groups. One is waited for so far; then it is read as it stands, and refused.
const LONGEST_GROUP: usize = 16 << 20;

/// Whether a field is all here.
#[derive(Debug)]
pub(super) enum Whole<'a> {
    /// It is, or is broken.
    Yes,
    /// Its beginning is not even long enough to tell.
    No,
    /// A field of `length` bytes, of which only the beginning is here.
    Long { field: Field, length: u64, left: Cursor<'a> },
}

/// A field's number and how its value is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) number: u32,
    wire_type: WireType,
    /// Where its value begins.
    pub(super) offset: usize,
}

impl<'a> Cursor<'a> {
    /// A part of a message, which begins at `offset` in the whole.
    pub(super) fn at(part: &'a [u8], offset: usize) -> Self {
        Cursor { rest: part, end: offset + part.len() }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field's key; `None` at the end of the message.
    #[inline]
    pub(super) fn field(&mut self, what: &'static str) -> Result<Option<Field>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.key(what)?;
        Ok(Some(Field { number, wire_type, offset: self.offset() }))
    }

    #[inline]
    fn key(&mut self, what: &'static str) -> Result<(u32, WireType), Error> {
        // Fields 1 to 15 have a key of one byte, and all of a profile's are among them.
        if let [byte @ 0x08..0x80, ref rest @ ..] = *self.rest
            && let Ok(wire_type) = WireType::try_from(u64::from(byte & 7))
        {
            self.rest = rest;
            return Ok((u32::from(byte >> 3), wire_type));
        }
        let start = self.offset();
        decode_key(&mut self.rest).map_err(|err| wire(what, &err, start))
    }

    /// The value of `field`, a varint.
    pub(super) fn varint(&mut self, field: Field, what: &'static str) -> Result<u64, Error> {
        self.expect(field, WireType::Varint, what)?;
        self.raw_varint(what)
    }

    /// A varint without a key, as packed fields hold them.
    #[inline]
    pub(super) fn raw_varint(&mut self, what: &'static str) -> Result<u64, Error> {
        // Nearly all numbers of a profile are ids and lengths of one or two bytes.
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(what),
        }
    }

    fn long_varint(&mut self, what: &'static str) -> Result<u64, Error> {
        if let Some((word, rest)) = self.rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            // The last byte of a number is the first without the upper bit.
            let last = !word & CONTINUED;
            if last != 0 {
                let n_left_over = 7 - last.trailing_zeros() as usize / 8;
                self.rest = self.rest.get(8 - n_left_over..).unwrap_or(rest);
                return Ok(joined(word & (last ^ last.wrapping_sub(1))));
            }
        }
        let start = self.offset();
        decode_varint(&mut self.rest).map_err(|err| wire(what, &err, start))
    }

    /// Reads packed ids as rows, which are one less, up to the first that is not *plain* or the end. The answer is the
    /// greatest row or `greatest`.
    ///
    /// An id is plain if it is not 0, has 28 bits, and is written as short as it can be, so that where each lies can be
    /// told from the ids. Ids of one and two bytes come in rows of their kind; longer ones are taken two at a time.
    pub(super) fn plain_rows<T: Copy>(&mut self, mut greatest: u32, new: impl Fn(u32) -> T, rows: &mut Vec<T>) -> u32 {
        while let Some((bytes, rest)) = self.rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*bytes);
            match word & CONTINUED {
                0 if (word.wrapping_sub(ONES) & !word & CONTINUED) == 0 => {
                    let eight = bytes.map(|it| u32::from(it) - 1);
                    greatest = eight.iter().fold(greatest, |max, &it| max.max(it));
                    rows.extend_from_slice(&eight.map(&new));
                    self.rest = rest;
                }
                0x0080_0080_0080_0080 if have_high_bits(word) => {
                    let pairs = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
                    let four = [0, 16, 32, 48].map(|it| low_half(pairs >> it & 0xffff) - 1);
                    greatest = four.iter().fold(greatest, |max, &it| max.max(it));
                    rows.extend_from_slice(&four.map(&new));
                    self.rest = rest;
                }
                _ => {
                    let Some((two, n_bytes)) = two_plain(word) else { break };
                    let two = two - 0x0000_0001_0000_0001;
                    let two = [low_half(two), low_half(two >> 32)];
                    greatest = greatest.max(two[0]).max(two[1]);
                    rows.extend_from_slice(&two.map(&new));
                    self.rest = self.rest.get(n_bytes..).unwrap_or_default();
                }
            }
        }
        // What is left is less than a word, but for an id that is not plain or has one behind it.
        while let Some((id, n_bytes)) = self.plain_id() {
            greatest = greatest.max(id - 1);
            rows.push(new(id - 1));
            self.rest = self.rest.get(n_bytes..).unwrap_or_default();
        }
        greatest
    }

    /// The id that comes next, if it is plain, and its length.
    fn plain_id(&self) -> Option<(u32, usize)> {
        let mut id = 0;
        for (n_bytes, &byte) in (1..).zip(self.rest.iter().take(4)) {
            id |= u32::from(byte & 0x7f) << (7 * (n_bytes - 1));
            if byte < 0x80 {
                return (byte != 0).then_some((id, n_bytes));
            }
        }
        None
    }

    /// The value of `field`, a length and as many bytes: a message, a text, or packed numbers.
    #[inline]
    pub(super) fn bytes(&mut self, field: Field, what: &'static str) -> Result<Cursor<'a>, Error> {
        self.expect(field, WireType::LengthDelimited, what)?;
        let start = self.offset();
        let length = self.raw_varint(what)?;
        let left = self.rest.len();
        let cut_short = || ErrorKind::CutShort { what, length, left }.at(start);
        let n = usize::try_from(length).ok().filter(|&it| it <= left).ok_or_else(cut_short)?;
        let (bytes, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(Cursor { rest: bytes, end: self.offset() })
    }

    /// Passes over `n` bytes, or what is left of them, and says how many.
    pub(super) fn advance(&mut self, n: u64) -> u64 {
        let n = usize::try_from(n).unwrap_or(usize::MAX).min(self.rest.len());
        self.rest = self.rest.get(n..).unwrap_or_default();
        n as u64
    }

    /// How much of the next field is here; `false` may be said of the last one in a message, too.
    #[inline]
    pub(super) fn next_is_whole(&self) -> Whole<'a> {
        // Nearly all fields of a profile are messages of less than 16 KiB.
        let (length, n_left) = match *self.rest {
            [0x08..0x80, length @ 0..0x80, ref rest @ ..] => (usize::from(length), rest.len()),
            [0x08..0x80, low, high @ 0..0x80, ref rest @ ..] => {
                (usize::from(low & 0x7f) | usize::from(high) << 7, rest.len())
            }
            _ => return self.long_is_whole(),
        };
        if length <= n_left && self.rest.first().is_some_and(|it| it & 7 == 2) {
            return Whole::Yes;
        }
        self.long_is_whole()
    }

    fn long_is_whole(&self) -> Whole<'a> {
        let mut rest = *self;
        // A key and a number take no more; what is broken in so many bytes is so whatever follows.
        if self.rest.len() < 2 * LONGEST_VARINT {
            return Whole::No;
        }
        let Ok(Some(field)) = rest.field("") else { return Whole::Yes };
        match field.wire_type {
            WireType::LengthDelimited => match rest.raw_varint("") {
                // Of these fields none may be of bytes, however many.
                Ok(_) if matches!(field.number, 7..=10 | 12 | 14 | 15) => Whole::Yes,
                Ok(length) if (rest.rest.len() as u64) < length => Whole::Long { field, length, left: rest },
                _ => Whole::Yes,
            },
            WireType::StartGroup if 15 < field.number && self.rest.len() < LONGEST_GROUP => {
                if rest.skip(field, "").is_ok() { Whole::Yes } else { Whole::No }
            }
            _ => Whole::Yes,
        }
    }

    /// Calls `each` with every number of `field`, which holds one, or several packed.
    pub(super) fn numbers(
        &mut self,
        field: Field,
        what: &'static str,
        mut each: impl FnMut(u64, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if field.wire_type != WireType::LengthDelimited {
            return each(self.varint(field, what)?, field.offset);
        }
        let mut packed = self.bytes(field, what)?;
        while !packed.is_empty() {
            let offset = packed.offset();
            each(packed.raw_varint(what)?, offset)?;
        }
        Ok(())
    }

    /// The numbers of `field` where they are packed, as all writers of today do.
    pub(super) fn packed(&mut self, field: Field, what: &'static str) -> Result<Option<Cursor<'a>>, Error> {
        let is_packed = field.wire_type == WireType::LengthDelimited;
        is_packed.then(|| self.bytes(field, what)).transpose()
    }

    /// Passes over the value of `field`, of whatever kind.
    pub(super) fn skip(&mut self, field: Field, what: &'static str) -> Result<(), Error> {
        if field.wire_type == WireType::LengthDelimited {
            return self.bytes(field, what).map(drop);
        }
        skip_field(field.wire_type, field.number, &mut self.rest, DecodeContext::default())
            .map_err(|err| wire(what, &err, field.offset))
    }

    fn expect(&self, field: Field, expected: WireType, what: &'static str) -> Result<(), Error> {
        if field.wire_type == expected {
            return Ok(());
        }
        let problem = format!("found wire type {:?}, expected {expected:?}", field.wire_type);
        Err(ErrorKind::Wire { what, problem }.at(field.offset))
    }
}

/// Whether the upper byte of each pair of bytes is more than a mark of its end.
fn have_high_bits(word: u64) -> bool {
    let high = (word >> 8) & 0x007f_007f_007f_007f;
    (high + 0x007f_007f_007f_007f) & 0x0080_0080_0080_0080 == 0x0080_0080_0080_0080
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The two plain ids that `word` begins with, in its halves, and how many bytes they take.
#[inline]
fn two_plain(word: u64) -> Option<(u64, usize)> {
    // Of each number the last byte is the first without the upper bit; here are these bits' positions.
    let last = !word & CONTINUED;
    let first_end = last.trailing_zeros();
    if 31 < first_end {
        return None;
    }
    let (second, last) = (word >> (first_end + 1), last >> (first_end + 1));
    let second_end = last.trailing_zeros();
    if 31 < second_end {
        return None;
    }
    let is_short = word >> (first_end - 7) & 0x7f != 0 && second >> (second_end - 7) & 0x7f != 0;
    let (first, second) = (word & ((2 << first_end) - 1), second & ((2 << second_end) - 1));
    let both = (first | second << 32) & !CONTINUED;
    let both = both & 0x007f_007f_007f_007f | (both & 0x7f00_7f00_7f00_7f00) >> 1;
    let both = both & 0x0000_3fff_0000_3fff | (both & 0x3fff_0000_3fff_0000) >> 2;
    is_short.then_some((both, (first_end + second_end + 2) as usize / 8))
}

#[expect(clippy::cast_possible_truncation, reason = "it is the lower half that is wanted")]
fn low_half(word: u64) -> u32 {
    word as u32
}

/// How many bytes `id` takes, written as short as it can be.
pub(super) fn varint_len(id: u64) -> usize {
    prost::encoding::encoded_len_varint(id)
}

/// The number whose bytes, seven bits in each, are those of `word`, at most eight.
fn joined(word: u64) -> u64 {
    let word = word & !CONTINUED;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

#[cold]
pub(super) fn wire(what: &'static str, err: &prost::DecodeError, offset: usize) -> Error {
    ErrorKind::Wire { what, problem: err.to_string() }.at(offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::encoding::encode_varint;

    use super::*;

    /// With the ids among them read as rows, or not.
    fn read(bytes: &[u8], by_rows: bool) -> Result<Vec<u64>, Error> {
        let mut cursor = Cursor::at(bytes, 0);
        let (mut all, mut rows) = (Vec::new(), Vec::new());
        while !cursor.is_empty() {
            if by_rows {
                rows.clear();
                let greatest = cursor.plain_rows(0, |row| row, &mut rows);
                assert_eq!(greatest, rows.iter().copied().max().unwrap_or(0));
                all.extend(rows.iter().map(|&row| u64::from(row) + 1));
            }
            if !cursor.is_empty() {
                let start = cursor.offset();
                let number = cursor.raw_varint("number")?;
                let is_plain = number != 0 && number < 1 << 28 && cursor.offset() - start == varint_len(number);
                assert!(!by_rows || !is_plain, "{number} was not taken for a row");
                all.push(number);
            }
        }
        Ok(all)
    }

    /// Of any length, but mostly in runs of one length.
    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        let run = (0..64_u32, prop::collection::vec(any::<u64>(), 0..20));
        let run = run.prop_map(|(bits, it)| it.into_iter().map(move |it| it >> bits).collect::<Vec<_>>());
        prop::collection::vec(run, 0..8).prop_map(|it| it.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_come_back(numbers in numbers()) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&it| encode_varint(it, &mut bytes));
            prop_assert_eq!(&read(&bytes, false).unwrap(), &numbers);
            prop_assert_eq!(&read(&bytes, true).unwrap(), &numbers);
        }

        /// Whatever the bytes, prost reads the same from them, or refuses them as well.
        #[test]
        fn any_bytes_are_what_prost_takes_them_for(bytes in prop::collection::vec(prop::sample::select(vec![0, 1, 0x7f, 0x80, 0xff]), 0..40)) {
            let mut rest = bytes.as_slice();
            let mut expected = Some(Vec::new());
            while !rest.is_empty() {
                let number = decode_varint(&mut rest).ok();
                expected = expected.zip(number).map(|(mut all, it)| { all.push(it); all });
                if expected.is_none() {
                    break;
                }
            }
            prop_assert_eq!(&read(&bytes, false).ok(), &expected);
            prop_assert_eq!(&read(&bytes, true).ok(), &expected);
        }
    }
}
