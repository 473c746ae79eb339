//! Profiles that a guest reads bit by bit.

use rustc_hash::FxHashMap;
use wprof_guest::abi::Code;

/// Streams that a guest may have open at once.
const MAX_OPEN: usize = 64;

/// Those that are open.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: FxHashMap<i32, Stream>,
    n_opened: i32,
}

#[derive(Debug)]
struct Stream {
    bytes: Vec<u8>,
    at: usize,
}

impl Streams {
    /// Opens a stream of these bytes and returns its handle.
    pub(super) fn open(&mut self, bytes: Vec<u8>) -> Result<i32, Code> {
        if self.open.len() >= MAX_OPEN {
            return Err(Code::Limit);
        }
        // After two thousand million they begin anew, and none of the first is open any more.
        self.n_opened = self.n_opened.checked_add(1).unwrap_or(1);
        self.open.insert(self.n_opened, Stream { bytes, at: 0 });
        Ok(self.n_opened)
    }

    /// The next bytes of a stream, at most so many; none at its end.
    pub(super) fn next(&self, stream: i32, most: usize) -> Result<&[u8], Code> {
        let Stream { bytes, at } = self.open.get(&stream).ok_or(Code::UnknownHandle)?;
        let rest = bytes.get(*at..).unwrap_or_default();
        Ok(&rest[..rest.len().min(most)])
    }

    /// So many have been read.
    pub(super) fn advance(&mut self, stream: i32, len: usize) {
        if let Some(stream) = self.open.get_mut(&stream) {
            stream.at += len;
        }
    }

    /// Closes a stream; one that is not open stays so.
    pub(super) fn close(&mut self, stream: i32) {
        self.open.remove(&stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_gives_all_its_bytes_once() {
        let mut streams = Streams::default();
        let [a, b] = [vec![1, 2, 3, 4, 5], vec![]].map(|bytes| streams.open(bytes).unwrap());
        let mut read = |stream, most| {
            let bytes = streams.next(stream, most).map(<[u8]>::to_vec);
            streams.advance(stream, bytes.as_ref().map_or(0, Vec::len));
            bytes
        };
        assert_eq!(read(a, 2), Ok(vec![1, 2]));
        assert_eq!(read(b, 9), Ok(vec![]));
        assert_eq!(read(a, 9), Ok(vec![3, 4, 5]));
        assert_eq!(read(a, 9), Ok(vec![]));
        assert_eq!(read(7, 9), Err(Code::UnknownHandle));
        streams.close(a);
        streams.close(a);
        assert_eq!(streams.next(a, 9), Err(Code::UnknownHandle));
    }

    #[test]
    fn there_is_an_end_to_how_many_are_open() {
        let mut streams = Streams::default();
        let opened: Vec<_> = (0..1_000).filter_map(|_| streams.open(vec![0]).ok()).collect();
        assert_eq!(opened.len(), MAX_OPEN);
        streams.close(opened[0]);
        assert!(streams.open(vec![]).is_ok());
    }
}
