//! Packed lists of labels, as [`abi`](crate::abi) says.

use alloc::vec::Vec;

use super::set::LabelSet;

/// None if a text is longer than a list can say.
pub(super) fn pack(labels: LabelSet<'_>) -> Option<Vec<u8>> {
    let n_bytes = labels.pairs.iter().map(|[key, value]| 8 + key.len() + value.len()).sum();
    let mut list = Vec::with_capacity(n_bytes);
    for [key, value] in labels.pairs {
        list.extend_from_slice(&u32::try_from(key.len()).ok()?.to_le_bytes());
        list.extend_from_slice(&u32::try_from(value.len()).ok()?.to_le_bytes());
        list.extend_from_slice(key.as_bytes());
        list.extend_from_slice(value.as_bytes());
    }
    Some(list)
}

/// The pairs of a list, as far as it is whole.
pub(crate) fn unpack(mut list: &[u8]) -> impl Iterator<Item = [&str; 2]> {
    core::iter::from_fn(move || {
        let lens = [take_len(&mut list)?, take_len(&mut list)?];
        let key = list.split_off(..lens[0])?;
        let value = list.split_off(..lens[1])?;
        Some([str::from_utf8(key).ok()?, str::from_utf8(value).ok()?])
    })
}

fn take_len(list: &mut &[u8]) -> Option<usize> {
    let (len, rest) = list.split_first_chunk()?;
    *list = rest;
    usize::try_from(u32::from_le_bytes(*len)).ok()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{pack, unpack};
    use crate::labels;

    #[test]
    fn a_list_reads_back_and_one_cut_short_ends_early() {
        let labels = labels! { "b" => "2", "" => "ü", "a" => "" };
        let list = pack(labels).unwrap();
        assert_eq!(list[..10], *b"\x01\0\0\0\x01\0\0\0b2");
        assert_eq!(unpack(&list).collect::<Vec<_>>(), labels.pairs);
        for len in 0..list.len() {
            let n_whole = unpack(&list[..len]).inspect(|pair| assert!(labels.pairs.contains(pair))).count();
            assert!(n_whole < 3);
        }
    }
}
