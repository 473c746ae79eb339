//! A cursor over a protobuf message that knows its offset: prost's readers, with our errors.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::error::{Error, ErrorKind};

/// How many numbers [`Cursor::batch`] reads at most.
pub(super) const BATCH: usize = 64;

/// The bits that say of each of eight bytes that its number goes on.
const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// What is left of a message, and where it lies in the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// The offset of the end of `rest` in the whole message.
    end: usize,
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
    pub(super) fn new(message: &'a [u8]) -> Self {
        Cursor { rest: message, end: message.len() }
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

    /// Reads some of the numbers that are left into `numbers`, which is emptied first: more than none, and at most
    /// [`BATCH`].
    pub(super) fn batch(&mut self, what: &'static str, numbers: &mut Vec<u64>) -> Result<(), Error> {
        numbers.clear();
        while numbers.len() <= BATCH - 8
            && let Some((bytes, rest)) = self.rest.split_first_chunk::<8>()
        {
            // Most bytes are parts of ids, and ids that follow each other are mostly of one length.
            let word = u64::from_le_bytes(*bytes);
            match word & CONTINUED {
                0 => {
                    numbers.extend_from_slice(&bytes.map(u64::from));
                    self.rest = rest;
                }
                0x0080_0080_0080_0080 => {
                    let pairs = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
                    numbers.extend_from_slice(&[0, 16, 32, 48].map(|it| pairs >> it & 0xffff));
                    self.rest = rest;
                }
                _ => numbers.push(self.raw_varint(what)?),
            }
        }
        while numbers.len() < BATCH && !self.rest.is_empty() {
            numbers.push(self.raw_varint(what)?);
        }
        Ok(())
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

    fn read(bytes: &[u8], batched: bool) -> Result<Vec<u64>, Error> {
        let mut cursor = Cursor::new(bytes);
        let (mut all, mut batch) = (Vec::new(), Vec::new());
        while !cursor.is_empty() {
            if batched {
                cursor.batch("number", &mut batch)?;
                assert!((1..=BATCH).contains(&batch.len()));
                all.append(&mut batch);
            } else {
                all.push(cursor.raw_varint("number")?);
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
