//! The labels that the calling thread has, as its own code has set them.

use core::sync::atomic::{AtomicI32, AtomicU8, Ordering::Relaxed};

use super::context::Context;
use crate::imports;

/// Shows them to `f`.
pub(super) fn with<R>(f: impl FnOnce(&Context) -> R) -> R {
    let context = take();
    let result = f(&context);
    put_back(context);
    result
}

/// Puts those that `f` makes of them in their place, tells wprof, and returns them.
#[inline]
pub(super) fn replace_with(f: impl FnOnce(&Context) -> Context) -> Context {
    let before = take();
    let context = f(&before);
    tell(context.token());
    put_back(context);
    before
}

/// Replaces them, and tells wprof.
#[inline]
pub(super) fn set(context: Context) {
    tell(context.token());
    put_back(context);
}

/// A thread that has set none has those that its spawner had, which wprof knows.
#[cold]
fn adopt() -> Context {
    if imports::is_on() { Context::adopted(imports::labels_current()) } else { Context::default() }
}

/// Where wprof looks a thread's labels up, so that it need not be told of each change.
struct Cell {
    labels: AtomicI32,
    way: AtomicU8,
}

/// Wprof has not been asked yet whether it looks there.
const UNKNOWN: u8 = 0;
/// It does.
const LOOKS: u8 = 1;
/// It has to be told.
const IS_TOLD: u8 = 2;

impl Cell {
    const fn new() -> Self {
        Self { labels: AtomicI32::new(0), way: AtomicU8::new(UNKNOWN) }
    }

    #[inline]
    fn set(&self, labels: i32) {
        if self.way.load(Relaxed) == LOOKS {
            // Not atomically: where wasm has threads, that waits until all of them would see it.
            #[expect(unsafe_code, reason = "wasm has no relaxed stores")]
            // SAFETY: it is a thread's own or there are no threads, and wprof, which looks there, is outside of the program. As it is
            // volatile, it is done before what the labels are for.
            unsafe {
                self.labels.as_ptr().write_volatile(labels);
            }
        } else {
            self.say(labels);
        }
    }

    #[cold]
    fn say(&self, labels: i32) {
        if self.way.load(Relaxed) == UNKNOWN && imports::is_on() {
            let looks = imports::labels_cell(&self.labels) >= 0;
            self.way.store(if looks { LOOKS } else { IS_TOLD }, Relaxed);
            if looks {
                self.labels.store(labels, Relaxed);
                return;
            }
        }
        imports::labels_use(labels);
    }
}

cfg_select! {
    feature = "std" => {
        use std::thread_local;

        thread_local! {
            /// None if they are not known, or taken.
            static CURRENT: std::cell::Cell<Option<Context>> = const { std::cell::Cell::new(None) };
            static CELL: Cell = const { Cell::new() };
        }

        /// If they are not put back, they are not known, and wprof is asked.
        #[inline]
        fn take() -> Context {
            // It is gone when the thread ends, but other values of the thread may still be dropped then.
            CURRENT.try_with(std::cell::Cell::take).ok().flatten().unwrap_or_else(adopt)
        }

        #[inline]
        fn put_back(context: Context) {
            let _ = CURRENT.try_with(|current| current.set(Some(context)));
        }

        #[inline]
        fn tell(labels: i32) {
            // As it has nothing to drop, it is there as long as the thread.
            CELL.with(|cell| cell.set(labels));
        }
    }
    all(target_arch = "wasm32", target_feature = "atomics") => {
        // There are threads, but core has nothing that is a thread's own. Wprof has.
        #[inline]
        fn take() -> Context {
            adopt()
        }

        #[inline]
        fn put_back(_: Context) {}

        #[inline]
        fn tell(labels: i32) {
            imports::labels_use(labels);
        }
    }
    _ => {
        use crate::lock::Lock;

        static CURRENT: Lock<Option<Context>> = Lock::new(None);
        static CELL: Cell = Cell::new();

        #[inline]
        fn take() -> Context {
            CURRENT.with(Option::take).unwrap_or_else(adopt)
        }

        #[inline]
        fn put_back(context: Context) {
            let _before = CURRENT.with(|current| current.replace(context));
        }

        #[inline]
        fn tell(labels: i32) {
            CELL.set(labels);
        }
    }
}
