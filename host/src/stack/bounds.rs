//! Where the calling thread's stack lies.

use std::ops::Range;

/// The calling thread's stack, as the system reports it; `None` where it does not.
pub(crate) fn own_stack() -> Option<Range<usize>> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: asks for nothing.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: the first argument is the calling thread, the second is room for what is written.
    if unsafe { libc::pthread_getattr_np(thread, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let mut start = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the call above succeeded, so the attributes are initialised; the other two are places to write to.
    let failed = unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut size) };
    // SAFETY: initialised, as said, and not used any more.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    (failed == 0).then(|| start.addr()..start.addr().saturating_add(size))
}

#[cfg(test)]
mod tests;
