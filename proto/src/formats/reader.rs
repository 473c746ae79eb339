//! A file of any kind that is read as it comes, and what can be saved of one that is damaged.

use super::{ReadError, collapsed, read_other};
use crate::codec::{Error, Limits, Lost, Progress, Stream, other};
use crate::profile::Profile;

/// Reads a file piece by piece, of any kind that [`read`](super::read) reads.
///
/// Of a profile.proto message only the profile's own columns are kept, and a window of 256 KiB or the longest of its
/// fields: neither the file nor the inflated message. Files of other formats are kept whole, and read at the end.
///
/// ```
/// use proto::formats::Reader;
/// # let file = proto::encode_gzip(&proto::ProfileBuilder::new(&[("samples", "count")]).finish());
/// let mut reader = Reader::new(&proto::Limits::default());
/// reader.expect(file.len() as u64);
/// for chunk in file.chunks(10) {
///     reader.push(chunk)?;
/// }
/// assert_eq!(reader.progress().n_read, file.len() as u64);
/// assert_eq!(reader.finish()?.n_samples(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    stream: Stream,
    limits: Limits,
}

impl Reader {
    /// Nothing read yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Reader { stream: Stream::new(limits), limits: *limits }
    }

    /// Says how long the file is, where that is known. It only tells how much room the profile may take: without it,
    /// columns double, and take up to three times the memory while they do.
    pub fn expect(&mut self, n_bytes: u64) {
        self.stream.expect(n_bytes);
    }

    /// Takes the next piece of the file, of any size; 64 KiB and more are read the fastest.
    ///
    /// # Errors
    ///
    /// If the gzip is damaged, or the limit exceeded. No more pieces are then read; what was read so far
    /// [`finish_salvaged`](Self::finish_salvaged) gives. All other errors wait for the end, as the file may be of
    /// another format.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.stream.push(chunk)
    }

    /// How far reading is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.stream.progress()
    }

    /// The profile of the pieces, which are the whole file.
    ///
    /// # Errors
    ///
    /// As [`read`](super::read).
    pub fn finish(mut self) -> Result<Profile, ReadError> {
        self.close().map_err(|(_, error)| error)
    }

    /// The same; or, of a message that is cut short or damaged, the samples that were read whole, and what was lost.
    /// What they refer to and is not there is named by its number: `location 17 (name lost)`.
    ///
    /// # Errors
    ///
    /// As [`read`](super::read), if there is no whole sample.
    pub fn finish_salvaged(mut self) -> Result<(Profile, Option<Lost>), ReadError> {
        let (broken, error) = match self.close() {
            Ok(profile) => return Ok((profile, None)),
            Err(errors) => errors,
        };
        let salvaged = self.stream.salvage(&broken);
        salvaged.map(|(profile, lost)| (profile, Some(lost))).ok_or(error)
    }

    /// The profile; or what is wrong with the message, and with the file.
    fn close(&mut self) -> Result<Profile, (Error, ReadError)> {
        // What is wrong with the file is told again by `finish`.
        let _told_again = self.stream.close();
        let (broken, file) = match self.stream.finish() {
            Ok(profile) => return Ok(profile),
            Err(it) => it,
        };
        let Some(file) = file else { return Err((broken.clone(), broken.into())) };
        let read = other(&file, &self.limits, broken.clone()).map_err(ReadError::from);
        let read = read.and_then(|it| read_other(&it, &self.limits, collapsed::SAMPLES));
        read.map_err(|error| (broken, error))
    }
}
