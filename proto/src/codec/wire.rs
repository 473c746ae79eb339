//! A cursor over a protobuf message that knows its offset: prost's readers, with our errors.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::error::{Error, ErrorKind};

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
    pub(super) fn field(&mut self, what: &'static str) -> Result<Option<Field>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let start = self.offset();
        let (number, wire_type) = decode_key(&mut self.rest).map_err(|err| wire(what, &err, start))?;
        Ok(Some(Field { number, wire_type, offset: self.offset() }))
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
        let start = self.offset();
        decode_varint(&mut self.rest).map_err(|err| wire(what, &err, start))
    }

    /// The value of `field`, a length and as many bytes: a message, a text, or packed numbers.
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

#[cold]
pub(super) fn wire(what: &'static str, err: &prost::DecodeError, offset: usize) -> Error {
    ErrorKind::Wire { what, problem: err.to_string() }.at(offset)
}
