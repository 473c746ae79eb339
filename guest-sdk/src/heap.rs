//! The heap profile as it is now.

use crate::error::WriteError;
use crate::imports;
use crate::sink::{Sink, write_stream};

/// Writes the heap profile as it is now. Go's `WriteHeapProfile`: that of the profile `heap` at debug 0.
///
/// Blocks are freed at once where there is no collector, so none need run before. Writes nothing outside wprof.
///
/// # Errors
///
/// If the sink fails, or this run measures no heap.
pub fn write(writer: &mut (impl Sink + ?Sized)) -> Result<(), WriteError> {
    let heap = imports::profile_lookup("heap");
    if heap == 0 {
        return Ok(());
    }
    write_stream(imports::profile_write(heap, 0), writer)
}
