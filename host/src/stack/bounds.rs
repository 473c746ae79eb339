//! Where the calling thread's stack lies.

use std::ops::Range;

/// The calling thread's stack, as the system reports it; `None` where it does not.
#[cfg(target_os = "linux")]
pub(super) fn own_stack() -> Option<Range<usize>> {
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

/// Elsewhere nobody walks frames.
#[cfg(not(target_os = "linux"))]
pub(super) fn own_stack() -> Option<Range<usize>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::own_stack;

    #[test]
    fn every_thread_has_its_own() {
        let here = |it: &u8| std::ptr::from_ref(it).addr();
        let (local, own) = (0_u8, own_stack().unwrap());
        assert!(own.contains(&here(&local)), "{own:?}");
        let other = std::thread::spawn(own_stack).join().unwrap().unwrap();
        assert!(!other.contains(&here(&local)));
        assert!(other.end <= own.start || own.end <= other.start);
    }
}
