//! The guest thread's CPU clock, and how its nanoseconds become sampling ticks.

use rustix::time::{ClockId, clock_gettime};

/// A span of time in nanoseconds.
pub type Nanos = u64;

/// CPU time used by the calling thread since it began.
fn thread_cpu_now() -> Nanos {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // The kernel's thread clock starts at zero and never goes back, so neither part is negative.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Time as it passes, from an arbitrary beginning.
pub(crate) fn wall_now() -> Nanos {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// CPU time used so far by another thread of this process, from the scheduler's own books.
///
/// `None` where the kernel keeps none (`/proc` not mounted, or another system than Linux).
#[must_use]
pub fn thread_cpu_elsewhere(thread_id: u32) -> Option<Nanos> {
    // proc(5), /proc/pid/schedstat: the first number is the time spent on a CPU, in nanoseconds.
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread_id}/schedstat")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// Turns the guest's CPU time into whole ticks of one sampling period.
///
/// Only the thread's own CPU time counts, so sleeping is not measured, and a tick that comes late is not
/// lost: the next reading is worth as many ticks as periods have passed. Time between two stays in the guest
/// (compiling, linking, wprof's own work) is left out; what remained of a period carries over.
///
/// The clock's methods take the reading as an argument so that a test owns the time.
#[derive(Debug)]
pub struct CpuClock {
    period: Nanos,
    /// The reading up to which time has been given to samples; meaningful while `inside`.
    settled: Nanos,
    /// What of a period was used but not yet worth a tick when the guest was last left.
    carried: Nanos,
    /// What others have used that is worth no tick yet.
    owed: Nanos,
    /// CPU time of all finished stays.
    spent: Nanos,
    entered: Nanos,
    inside: bool,
}

impl CpuClock {
    /// A clock that ticks every `period` nanoseconds of the guest's CPU time.
    #[must_use]
    pub fn new(period: Nanos) -> Self {
        Self { period: period.max(1), settled: 0, carried: 0, owed: 0, spent: 0, entered: 0, inside: false }
    }

    /// Reads the calling thread's clock.
    #[must_use]
    pub fn now() -> Nanos {
        thread_cpu_now()
    }

    /// The guest is entered from outside.
    pub fn enter(&mut self, now: Nanos) {
        self.inside = true;
        self.entered = now;
        // The clock may be another thread's, which has not run for so long.
        let own = self.carried.min(now);
        self.settled = now - own;
        self.owed = self.owed.saturating_add(self.carried - own);
    }

    /// Whether it is entered.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.inside
    }

    /// The guest is left for good, or until the embedder calls it again.
    pub fn leave(&mut self, now: Nanos) {
        if self.inside {
            self.inside = false;
            self.spent += now.saturating_sub(self.entered);
            self.carried = now.saturating_sub(self.settled);
        }
    }

    /// Ticks with this period from now on; what passed before is worth none.
    pub fn begin(&mut self, period: Nanos, now: Nanos) {
        (self.period, self.settled, self.carried, self.owed) = (period.max(1), now, 0, 0);
    }

    /// Ticks that have passed since the last call, each worth one period.
    pub fn take_ticks(&mut self, now: Nanos) -> u64 {
        if !self.inside {
            return 0;
        }
        let ticks = now.saturating_sub(self.settled).saturating_add(self.owed) / self.period;
        let given = ticks * self.period;
        let to_others = given.min(self.owed);
        self.owed -= to_others;
        self.settled += given - to_others;
        ticks
    }

    /// So much CPU time of others is to be given to this clock's samples.
    pub fn owe(&mut self, nanos: Nanos) {
        self.owed = self.owed.saturating_add(nanos);
    }

    /// What was given to no sample yet, and will not be by this clock.
    #[must_use]
    pub fn settle(&mut self, now: Nanos) -> Nanos {
        let own = if self.inside { now.saturating_sub(self.settled) } else { self.carried };
        (self.settled, self.carried) = (now, 0);
        own.saturating_add(std::mem::take(&mut self.owed))
    }

    /// The reading up to which time has been given to samples.
    #[must_use]
    pub fn settled(&self) -> Nanos {
        self.settled
    }

    /// CPU time the guest has used, its unfinished stay included.
    #[must_use]
    pub fn guest_cpu(&self, now: Nanos) -> Nanos {
        if self.inside { self.spent + now.saturating_sub(self.entered) } else { self.spent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_readings_are_worth_every_period_that_passed() {
        let mut clock = CpuClock::new(10);
        clock.enter(1000);
        assert_eq!(clock.take_ticks(1009), 0);
        assert_eq!(clock.take_ticks(1010), 1);
        assert_eq!(clock.take_ticks(1047), 3);
        assert_eq!(clock.take_ticks(1050), 1, "the 7 left over count towards the next tick");
    }

    #[test]
    fn time_outside_the_guest_is_not_counted_but_the_remainder_is_kept() {
        let mut clock = CpuClock::new(10);
        clock.enter(100);
        assert_eq!(clock.take_ticks(104), 0);
        clock.leave(104);
        assert_eq!(clock.take_ticks(500), 0, "outside, nothing ticks");
        clock.enter(600);
        assert_eq!(clock.take_ticks(605), 0);
        assert_eq!(clock.take_ticks(606), 1, "4 before and 6 now make a period");
        clock.leave(608);
        assert_eq!(clock.guest_cpu(9999), 12);
    }

    #[test]
    fn what_others_have_used_goes_with_the_next_ticks() {
        let mut clock = CpuClock::new(10);
        clock.enter(100);
        clock.owe(25);
        assert_eq!(clock.take_ticks(100), 2);
        assert_eq!(clock.take_ticks(106), 1, "5 of theirs and 5 of its own");
        clock.leave(108);
        assert_eq!(clock.guest_cpu(9999), 8, "theirs is not its own time");
        clock.enter(1);
        assert_eq!((clock.take_ticks(7), clock.take_ticks(8)), (0, 1), "on a thread that has run for 1 only");
        clock.owe(4);
        clock.leave(10);
        assert_eq!((clock.settle(9999), clock.settle(9999)), (6, 0), "2 of its own");
        clock.enter(20);
        clock.owe(4);
        assert_eq!((clock.settle(25), clock.settle(25), clock.take_ticks(35)), (9, 0, 1));
    }

    #[test]
    fn the_scheduler_knows_this_thread() {
        let own = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        let mut work = 1u64;
        while thread_cpu_now() < 20_000_000 {
            work = std::hint::black_box(work.wrapping_mul(3));
        }
        if std::path::Path::new("/proc/self/task").exists() {
            let seen = thread_cpu_elsewhere(own).unwrap();
            assert!(seen > 1_000_000, "schedstat says {seen} ns after 20 ms of work");
        }
    }
}
