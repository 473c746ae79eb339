//! Freed blocks that the guest has queued up for the host.

use wasmtime::{AsContext, AsContextMut, Memory};

use super::rewrite::{FILTER_FULL, QUEUE, QUEUE_LENGTH, QUEUE_NAMES, filter_slot};

/// Whether blocks wait that no hook under way will deal with.
pub(super) fn is_left_alone(memory: &Memory, store: impl AsContext) -> bool {
    let header = memory.data(&store).get(QUEUE as usize..).and_then(|queue| queue.first_chunk::<8>());
    header.is_some_and(|[count @ .., a, b, c, d]| *count != [0; 4] && [*a, *b, *c, *d] == [0; 4])
}

/// Hands out every queued block in order, and empties the queue. `free` says whether the block was a sampled one; the
/// filter then lets it go.
pub(super) fn drain(memory: &Memory, mut store: impl AsContextMut, mut free: impl FnMut(u64) -> bool) {
    let Some((filter, queue)) = memory.data_mut(&mut store).split_at_mut_checked(QUEUE as usize) else { return };
    let Some((count, rest)) = queue.split_first_chunk_mut::<4>() else { return };
    let n_queued = u32::from_le_bytes(*count).min(QUEUE_LENGTH) as usize;
    if n_queued == 0 {
        return;
    }
    *count = [0; 4];
    let names = rest.get((QUEUE_NAMES - QUEUE) as usize - 4..).unwrap_or_default();
    for name in names.as_chunks::<8>().0.iter().take(n_queued) {
        let block = u64::from_le_bytes(*name);
        if free(block)
            && let Some(counter) = filter.get_mut(filter_slot(block))
            && *counter != FILTER_FULL
        {
            *counter = counter.saturating_sub(1);
        }
    }
}
