//! What the epoch sampler knows of its guest: what it has used, and the samples so far.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::StoreContextMut;

use crate::labels::LabelsId;
use crate::sample::clock::{CpuClock, Nanos, thread_cpu_elsewhere, wall_now};
use crate::sample::{Carried, Carry, Doing, Leaf, RawSamples, Value};
use crate::stack::capture_into;

#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: CpuClock,
    pub(super) period: Nanos,
    /// Whether stacks are captured that have used no CPU time.
    pub(super) has_wall: bool,
    /// When samples were wanted first, and CPU time that the guest had used by then.
    pub(super) began: Option<Instant>,
    pub(super) spent_before: Nanos,
    /// Wall time up to which samples have been taken.
    pub(super) settled_wall: Nanos,
    /// The thread's CPU clock at that time.
    pub(super) looked_at: Nanos,
    /// The same clock when the guest will have had as long as the last capture took. No stack is captured before, since
    /// where that takes longer than a period the guest would get nothing done.
    pub(super) rested_at: Nanos,
    /// Wall time in which it was used before the guest waited.
    pub(super) carried_wall: Nanos,
    /// The stack that somebody has asked for.
    pub(super) shown: Option<(Vec<u32>, Leaf)>,
    pub(super) samples: RawSamples,
    /// Nesting of host → guest entries.
    pub(super) depth: u32,
    /// Kept between captures, so that a sample allocates nothing of ours.
    pub(super) scratch: Vec<u32>,
    /// The guest's thread, and when it first entered the guest; `None` until it has.
    pub(super) entered: Option<(u32, Instant)>,
    /// What other stores have used.
    pub(super) carry: Option<Arc<Carry>>,
}

impl State {
    pub(super) fn new(carry: Option<Arc<Carry>>) -> Self {
        Self {
            clock: CpuClock::new(Nanos::MAX),
            period: Nanos::MAX,
            has_wall: false,
            began: None,
            spent_before: 0,
            settled_wall: 0,
            looked_at: 0,
            rested_at: 0,
            carried_wall: 0,
            shown: None,
            samples: RawSamples::default(),
            depth: 0,
            scratch: Vec::with_capacity(256),
            entered: None,
            carry,
        }
    }

    /// Forgets what was sampled; samples of this period may come from now on.
    pub(super) fn begin(&mut self, period: Nanos, has_wall: bool) {
        let now = self.clock_from_outside();
        let spent = self.clock.guest_cpu(now);
        (self.began, self.spent_before) = (Some(Instant::now()), spent);
        self.clock.begin(period, now);
        (self.period, self.has_wall, self.samples) = (period, has_wall, RawSamples::default());
        (self.settled_wall, self.looked_at, self.carried_wall) = (wall_now(), now, 0);
        self.rested_at = now;
    }

    /// Gives the stack what has passed since the last sample.
    pub(super) fn sample<T: 'static>(&mut self, store: &StoreContextMut<'_, T>, doing: Doing, now: Nanos) {
        if !self.is_sampled() {
            return;
        }
        // What was used before such a call, the next sample has, and the wall time that this took.
        let used = now.saturating_sub(self.looked_at);
        let has_waited = doing.leaf == Leaf::HostCall && self.has_waited(now);
        if now < self.rested_at && !has_waited {
            return;
        }
        self.looked_at = now;
        let mut value = if has_waited { self.take_wall() } else { self.take_value(now) };
        if has_waited {
            value.wall = value.wall.saturating_sub(used);
            self.carried_wall = self.carried_wall.saturating_add(used);
        }
        if value.ticks == 0 && !self.has_wall {
            return;
        }
        let began = Instant::now();
        capture_into(store, &mut self.scratch);
        self.samples.record(&self.scratch, doing, value);
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.samples.note_capture(took);
        self.rested_at = CpuClock::now().saturating_add(took);
    }

    /// Whether samples are wanted. Ticks may come nevertheless: those of the guest's other stores.
    pub(super) fn is_sampled(&self) -> bool {
        self.period != Nanos::MAX
    }

    /// What has passed since it was last asked.
    pub(super) fn take_value(&mut self, now: Nanos) -> Value {
        let carried = self.carry.as_ref().map(|carry| carry.take()).unwrap_or_default();
        self.clock.owe(carried.cpu);
        self.carried_wall = self.carried_wall.saturating_add(carried.wall);
        let ticks = self.clock.take_ticks(now);
        let wall = self.take_wall().wall.saturating_add(std::mem::take(&mut self.carried_wall));
        Value { ticks, cpu: ticks.saturating_mul(self.period), wall }
    }

    /// The same of wall time alone.
    pub(super) fn take_wall(&mut self) -> Value {
        let wall = wall_now();
        let passed = wall.saturating_sub(std::mem::replace(&mut self.settled_wall, wall));
        Value { wall: passed, ..Value::default() }
    }

    /// The guest is left, or is not to be seen any more.
    pub(super) fn end_stay(&mut self, now: Nanos) {
        if !self.is_sampled() {
            return;
        }
        let tail = self.take_value(now);
        let period = self.period;
        if let Some(carry) = &self.carry {
            return carry.put(Carried { cpu: tail.cpu, wall: tail.wall, owed: 0 });
        }
        self.samples.record_tail(tail, period);
    }

    /// The same while it sits in a host call, with this stack.
    pub(super) fn end_in_call(&mut self, stack: &[u32], labels: LabelsId, now: Nanos) {
        let doing = Doing { leaf: Leaf::HostCall, labels };
        if self.has_waited(now) {
            let wall = self.take_wall();
            if self.has_wall {
                self.samples.record(stack, doing, wall);
            }
            return self.end_stay(now);
        }
        let value = self.take_value(now);
        if value.ticks > 0 || self.has_wall {
            self.samples.record(stack, doing, value);
        }
    }

    /// Whether the call under way has waited for most of the time since the last look. Its CPU time was used before it, then.
    fn has_waited(&self, now: Nanos) -> bool {
        let passed = wall_now().saturating_sub(self.settled_wall);
        now.saturating_sub(self.looked_at).saturating_mul(8) < passed
    }

    /// The guest thread's CPU clock as another thread can read it; where it cannot, as of the last sample.
    pub(super) fn clock_from_outside(&self) -> Nanos {
        let Some((thread_id, _)) = self.entered else { return self.clock.settled() };
        if thread_id == own_thread_id() {
            return CpuClock::now();
        }
        thread_cpu_elsewhere(thread_id).unwrap_or_else(|| self.clock.settled())
    }
}

pub(super) fn own_thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}
