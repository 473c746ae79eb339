//! Gzip, with a bound on what comes out.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::error::{Error, ErrorKind};

/// Whether the bytes begin as gzip does (RFC 1952, ID1 and ID2).
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// All members' contents, back to back. Stops as soon as they exceed `limit`, so a bomb costs no more than that.
pub(super) fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
    let mut inflated = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(limit.saturating_add(1));
    reader.read_to_end(&mut inflated).map_err(|err| ErrorKind::Gzip(err.to_string()).at_no_offset())?;
    if limit < inflated.len() as u64 {
        return Err(ErrorKind::TooLarge { limit }.at_no_offset());
    }
    Ok(inflated)
}

/// One gzip member, the same for the same bytes: no name and no time in it.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    #[expect(clippy::expect_used, reason = "writing to a Vec does not fail")]
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes all bytes")
}
