//! Waits for an address of a memory that threads share, by the guest's own instructions. Whoever wakes those that wait there is
//! taken to have made them wait, as the holder of a lock has.

use wasmtime::AsContext;

use super::waiting::Waiting;
use crate::heap::rewrite::{NOTIFIES, RESULT_SHIFT, TAKEN, WAITS};
use crate::sample::{Leaf, wall_now};
use crate::stack::this_thread;

/// What `memory.atomic.wait` answers if the value was not the expected one.
const NOT_EQUAL: i32 = 1;

/// Tells addresses from the locks of guests that tell of these themselves.
const IS_ADDRESS: i64 = 1 << 62;

impl Waiting {
    /// The guest waits at an address, does so no longer, or wakes those that do. What is part of a lock that the guest tells of
    /// itself is not looked at, as it would count twice.
    pub fn on_atomic<T: 'static>(&self, address: i64, what: i32, store: impl AsContext<Data = T>) {
        let contention = self.contention();
        let place = address | IS_ADDRESS;
        match what & ((1 << RESULT_SHIFT) - 1) {
            WAITS if !self.is_locking() => {
                contention.locks.wait(place, this_thread(), wall_now());
                self.set_locking(true);
            }
            TAKEN => {
                let Some(waited) = contention.locks.take(place, this_thread(), wall_now()) else { return };
                self.set_locking(false);
                if what >> RESULT_SHIFT != NOT_EQUAL {
                    contention.waited(waited, Leaf::HostCall, store);
                }
            }
            NOTIFIES => {
                if let Some(waited) = contention.locks.release(place, wall_now()) {
                    contention.released(waited, store);
                }
            }
            _ => {}
        }
    }
}
