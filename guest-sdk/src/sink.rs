//! Where profiles are written to, and how one comes from wprof: as a stream of bytes that is read piece by piece.

use crate::error::{Error, SinkError, WriteError};
use crate::imports;

/// Takes the bytes of a profile. Go's `io.Writer`.
///
/// With the feature `std` everything that is `std::io::Write` is one. In any case [`Vec<u8>`](alloc::vec::Vec) is, and
/// [`Call`], which calls a function.
pub trait Sink {
    /// Takes all these bytes, which follow those before.
    ///
    /// # Errors
    ///
    /// If it cannot take them. It is not asked again then.
    fn put(&mut self, bytes: &[u8]) -> Result<(), SinkError>;

    /// Nothing more comes. `std::io::Write` is flushed.
    ///
    /// # Errors
    ///
    /// If what it has taken did not get to where it should.
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[cfg(feature = "std")]
impl<W: std::io::Write + ?Sized> Sink for W {
    fn put(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        Ok(self.write_all(bytes)?)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.flush()?)
    }
}

#[cfg(not(feature = "std"))]
impl Sink for alloc::vec::Vec<u8> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// A sink that calls a function with each piece.
///
/// ```
/// use wprof_guest::{Call, heap};
///
/// let mut n_bytes = 0;
/// heap::write(&mut Call(|bytes: &[u8]| {
///     n_bytes += bytes.len();
///     Ok(())
/// }))?;
/// # Ok::<(), wprof_guest::WriteError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Call<F>(
    /// It is given the bytes.
    pub F,
);

impl<F: FnMut(&[u8]) -> Result<(), SinkError>> Sink for Call<F> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        (self.0)(bytes)
    }
}

/// Bytes that are read at once. They lie on the guest's stack, which may be small.
const PIECE: usize = 4096;

/// Writes what a call has answered: a stream, nothing (0), or a code.
pub(crate) fn write_stream(stream: i32, sink: &mut (impl Sink + ?Sized)) -> Result<(), WriteError> {
    if stream < 0 {
        return Err(Error::of(stream).into());
    }
    if stream == 0 {
        return Ok(());
    }
    let stream = Open(stream);
    let mut piece = [0; PIECE];
    loop {
        let n_read = imports::stream_read(stream.0, &mut piece);
        let Ok(n_bytes) = usize::try_from(n_read) else { return Err(Error::of(n_read).into()) };
        if n_bytes == 0 {
            return sink.finish().map_err(WriteError::Sink);
        }
        sink.put(piece.get(..n_bytes).unwrap_or(&piece)).map_err(WriteError::Sink)?;
    }
}

/// A stream that is closed in any case.
struct Open(i32);

impl Drop for Open {
    fn drop(&mut self) {
        imports::stream_close(self.0);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use std::string::ToString;

    use super::{Call, write_stream};
    use crate::fake::Fake;

    #[test]
    fn a_stream_comes_whole_and_is_closed() {
        let fake = Fake::install();
        let profile: Vec<u8> = (0..251).cycle().take(10_000).collect();
        let mut sink = Vec::new();
        write_stream(fake.stream(&profile), &mut sink).unwrap();
        assert!(sink == profile, "{} bytes", sink.len());
        assert_eq!(fake.n_open_streams(), 0);
    }

    #[test]
    fn a_sink_that_fails_is_asked_no_more_and_the_stream_is_closed() {
        let fake = Fake::install();
        let mut n_pieces = 0;
        let error = write_stream(
            fake.stream(&[7; 10_000]),
            &mut Call(|_: &[u8]| {
                n_pieces += 1;
                Err("no room".into())
            }),
        );
        assert_eq!(error.unwrap_err().to_string(), "write the profile: no room");
        assert_eq!((n_pieces, fake.n_open_streams()), (1, 0));
    }

    #[test]
    fn no_stream_is_nothing_and_a_code_is_an_error() {
        let mut sink = Vec::new();
        write_stream(0, &mut sink).unwrap();
        assert!(sink.is_empty());
        let error = write_stream(-11, &mut sink).unwrap_err();
        assert_eq!(error.to_string(), "get the profile: not measured in this run");
    }
}
