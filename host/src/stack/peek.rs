//! Reading this process's own memory through the kernel, which answers with an error where a load would crash.

use std::fs::File;
use std::sync::OnceLock;

static MEMORY: OnceLock<Option<File>> = OnceLock::new();

/// Opens this process's memory as a file. False where the system has no such file, and then nothing can be read.
pub(crate) fn open() -> bool {
    MEMORY.get_or_init(|| File::open("/proc/self/mem").ok()).is_some()
}

/// Reads what lies at an address, whatever it is, and says how many bytes that were: fewer where mapped memory ends.
///
/// Safe in a signal handler: it makes one system call. Without [`open`] it reads nothing.
pub(super) fn bytes(address: usize, into: &mut [u8]) -> usize {
    match (MEMORY.get(), u64::try_from(address)) {
        (Some(Some(file)), Ok(address)) => read_at(file, into, address).unwrap_or(0),
        _ => 0,
    }
}

/// Reads a word.
pub(super) fn word(address: usize) -> Option<usize> {
    let mut word = [0; size_of::<usize>()];
    (bytes(address, &mut word) == word.len()).then(|| usize::from_ne_bytes(word))
}

/// Reads four bytes.
pub(crate) fn u32(address: usize) -> Option<u32> {
    let mut number = [0; 4];
    (bytes(address, &mut number) == number.len()).then(|| u32::from_ne_bytes(number))
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> std::io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

/// Elsewhere nobody walks frames.
#[cfg(not(unix))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> std::io::Result<usize> {
    Ok(0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_read_and_the_rest_is_refused() {
        assert!(open());
        let words = [7_usize, 8, 9];
        assert_eq!(word(words.as_ptr().expose_provenance() + size_of::<usize>()), Some(8));
        for nowhere in [0, 8, usize::MAX - 7, 0xdead_0000_0000_0000] {
            assert_eq!(word(nowhere), None, "{nowhere:#x}");
        }
    }
}
