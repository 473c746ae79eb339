//! A file to a profile, as it comes: gzip or bare, told by its first bytes.

use super::Limits;
use super::decode::Decoder;
use super::error::{Error, ErrorKind};
use super::gzip::{CHUNK, Inflated, Inflater, is_gzip};
use super::salvage::{Lost, salvage};
use crate::profile::Profile;

/// Reads a file piece by piece.
///
/// In memory are the profile's columns, and [`WINDOW`] bytes of the message, or the longest of its fields.
#[derive(Debug)]
pub(crate) struct Stream {
    limit: u64,
    /// The file's beginning, until it is known to be a message, or all of it if it is none.
    kept: Option<Vec<u8>>,
    source: Source,
    /// Inflated, and not decoded: `n_filled` bytes.
    window: Vec<u8>,
    n_filled: usize,
    decoder: Decoder,
    progress: Progress,
    n_expected: u64,
    /// What was wrong with the file, whatever is in it.
    failed: Option<Error>,
}

#[derive(Debug)]
enum Source {
    /// Too little was seen.
    Unknown,
    Bare,
    Gzip(Box<Inflater>),
}

/// How far reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes of the file.
    pub n_read: u64,
    /// The same inflated; as many if it is no gzip.
    pub n_inflated: u64,
    /// Samples.
    pub n_samples: usize,
}

/// Inflated at once: it should stay in a processor's cache.
const WINDOW: usize = 256 << 10;

/// How much of a bare file is decoded before looking how far it is.
const STEP: usize = 1 << 20;

/// The file's beginning is kept until so much of it, inflated, was a sound message.
const TELLING: u64 = 1 << 20;

/// The profile of a whole file's message.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Profile, Error> {
    let mut stream = Stream { kept: None, ..Stream::new(limits) };
    stream.expect(bytes.len() as u64);
    if is_gzip(bytes) {
        bytes.chunks(CHUNK).try_for_each(|it| stream.push(it))?;
    } else {
        stream.push_all(bytes)?;
    }
    stream.close()?;
    stream.decoder.finish()
}

impl Stream {
    pub(crate) fn new(limits: &Limits) -> Self {
        Stream {
            limit: limits.max_inflated,
            kept: Some(Vec::new()),
            source: Source::Unknown,
            window: Vec::new(),
            n_filled: 0,
            decoder: Decoder::new(limits.max_inflated),
            progress: Progress::default(),
            n_expected: 0,
            failed: None,
        }
    }

    /// How long the file is; if that is not true, some memory is wasted.
    pub(crate) fn expect(&mut self, n_bytes: u64) {
        self.n_expected = n_bytes;
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress { n_samples: self.decoder.samples.len(), ..self.progress }
    }

    /// Takes more of the file. The error is of the gzip or the limit, and comes again each time.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.attempt(|it| it.take(chunk))
    }

    /// Reads what is left; the file has no more.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        self.attempt(Stream::take_end)
    }

    /// The profile, after [`close`](Self::close); or why there is none, and the file if it may be of another format.
    pub(crate) fn finish(&mut self) -> Result<Profile, (Error, Option<Vec<u8>>)> {
        let error = match self.failed.clone().map_or_else(|| self.decoder.finish(), Err) {
            Ok(profile) => return Ok(profile),
            Err(error) => error,
        };
        Err((error, self.kept.take()))
    }

    /// What was read before `error`.
    pub(crate) fn salvage(self, error: &Error) -> Option<(Profile, Lost)> {
        let Progress { n_read, n_inflated, .. } = self.progress;
        let (profile, lost) = salvage(self.decoder, error)?;
        Some((profile, Lost { n_bytes: n_read.max(self.n_expected), n_inflated, ..lost }))
    }

    fn attempt(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.failed.is_none() {
            self.failed = step(self).err();
        }
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// The whole of a bare file, which needs no window.
    fn push_all(&mut self, file: &[u8]) -> Result<(), Error> {
        self.source = Source::Bare;
        self.count(file.len())?;
        let (mut rest, mut size) = (file, STEP);
        while !rest.is_empty() {
            let part = rest.get(..size).unwrap_or(rest);
            let n_read = self.decoder.read(part, part.len() == rest.len(), self.expected());
            self.progress.n_read += n_read as u64;
            rest = rest.get(n_read..).unwrap_or_default();
            // A field may be longer.
            size = if n_read == 0 { size.saturating_mul(2) } else { STEP };
        }
        Ok(())
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.progress.n_read += chunk.len() as u64;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(chunk);
        }
        match &mut self.source {
            Source::Unknown => self.take_first(chunk)?,
            Source::Bare => self.take_bare(chunk)?,
            Source::Gzip(inflater) => {
                inflater.push(chunk);
                self.inflate()?;
            }
        }
        self.keep_or_not();
        Ok(())
    }

    /// Both bytes that tell gzip may not be in the first chunk.
    fn take_first(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let start = [self.window.as_slice(), chunk].concat();
        self.window.clear();
        if is_gzip(&start) {
            let mut inflater = Inflater::new();
            inflater.push(&start);
            self.source = Source::Gzip(Box::new(inflater));
            self.window.resize(WINDOW, 0);
            self.inflate()
        } else if start.len() < 2 {
            self.window = start;
            Ok(())
        } else {
            self.source = Source::Bare;
            self.take_bare(&start)
        }
    }

    fn take_bare(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.count(chunk.len())?;
        let expected = self.expected();
        if self.window.is_empty() {
            let n_read = self.decoder.read(chunk, false, expected);
            self.window.extend(chunk.iter().skip(n_read));
        } else {
            self.window.extend_from_slice(chunk);
            let n_read = self.decoder.read(&self.window, false, expected);
            self.window.drain(..n_read);
        }
        self.n_filled = self.window.len();
        Ok(())
    }

    fn inflate(&mut self) -> Result<(), Error> {
        loop {
            if self.n_filled == self.window.len() {
                // A field is longer than the window.
                self.window.resize(self.n_filled * 2, 0);
            }
            let Source::Gzip(inflater) = &mut self.source else { return Ok(()) };
            match inflater.read(self.window.get_mut(self.n_filled..).unwrap_or_default())? {
                Inflated::Some(n) => {
                    self.n_filled += n;
                    self.count(n)?;
                    let filled = self.window.get(..self.n_filled).unwrap_or_default();
                    let n_read = self.decoder.read(filled, false, self.expected());
                    self.window.copy_within(n_read..self.n_filled, 0);
                    self.n_filled -= n_read;
                }
                Inflated::Hungry | Inflated::End => return Ok(()),
            }
        }
    }

    fn take_end(&mut self) -> Result<(), Error> {
        match &mut self.source {
            Source::Unknown => self.push_last_byte()?,
            Source::Bare => {}
            Source::Gzip(inflater) => {
                inflater.close();
                self.inflate()?;
            }
        }
        let filled = self.window.get(..self.n_filled).unwrap_or_default();
        self.decoder.read(filled, true, self.expected());
        Ok(())
    }

    /// Of a file of one byte, or none.
    fn push_last_byte(&mut self) -> Result<(), Error> {
        let start = std::mem::take(&mut self.window);
        self.source = Source::Bare;
        self.take_bare(&start)
    }

    fn count(&mut self, n_inflated: usize) -> Result<(), Error> {
        self.progress.n_inflated += n_inflated as u64;
        let is_within = self.progress.n_inflated <= self.limit;
        if is_within { Ok(()) } else { Err(ErrorKind::TooLarge { limit: self.limit }.at_no_offset()) }
    }

    /// How long the message will be, if it goes on as it began; 0 if nobody knows.
    fn expected(&self) -> u64 {
        let Source::Gzip(inflater) = &self.source else { return self.n_expected };
        let expected = u128::from(self.progress.n_inflated) * u128::from(self.n_expected);
        u64::try_from(expected / (inflater.n_read() as u128).max(1)).unwrap_or(0)
    }

    /// Forgets the file's beginning when it is certainly a message.
    fn keep_or_not(&mut self) {
        if TELLING <= self.progress.n_inflated && self.decoder.is_binary() && self.decoder.is_sound() {
            self.kept = None;
        }
    }
}
