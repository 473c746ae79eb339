//! A guest that is being sampled, as the signal handler sees it.
//!
//! Targets live in a table and are never freed, only used again, so that a signal that comes late finds at worst somebody
//! else's, which it does not match.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::ring::Ring;
use crate::sample::CurrentLabels;
use crate::sample::clock::{CpuClock, Nanos, wall_now};
use crate::stack::{Live, MAX_FRAMES, Place, Registers, set_timer, this_thread};

/// How many guests of a process can be sampled at one time.
const MAX_TARGETS: usize = 1 << INDEX_BITS;
const INDEX_BITS: u32 = 10;

/// Words between the handler and whoever reads: half a second of stacks 1000 deep at 1 kHz.
pub(super) const RING_WORDS: usize = 1 << 19;

/// How far apart ticks are at most while a guest waits, unless its period is longer.
const SLOWEST_PACE: Nanos = 25_000_000;

/// What is asked of the handler at its next tick.
pub(super) const SHOW: u32 = 1;
pub(super) const END: u32 = 2;

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody has asked for the stack.
    Shown,
    /// A sample of a thread at work, on a processor or about to be.
    Running,
    /// A sample of a thread that waits in a system call.
    Blocked,
}

/// Where the labels begin in the first word of a record.
pub(super) const LABELS_AT: u32 = 32;

/// Words of a record before its return addresses.
pub(super) const HEADER: usize = 7;

static TARGETS: [OnceLock<&'static Target>; MAX_TARGETS] = [const { OnceLock::new() }; MAX_TARGETS];
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
static N_USED: AtomicUsize = AtomicUsize::new(0);

/// One guest. All that the handler touches is atomic, as it interrupts the thread that writes it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) index: usize,
    /// Tells one use of this target from the next.
    generation: AtomicU32,
    pub(super) live: Live,
    pub(super) ring: Ring,
    /// The thread that the guest runs on now; 0 for none.
    pub(super) thread: AtomicU64,
    /// The guest waits for its next poll: the thread does something else.
    pub(super) is_paused: AtomicBool,
    /// The machine code of the guest's functions, and of all that belongs to its file, trampolines included.
    functions: [AtomicUsize; 2],
    text: [AtomicUsize; 2],
    /// CPU and wall time up to which samples have been taken, on that thread.
    pub(super) settled_cpu: AtomicU64,
    pub(super) settled_wall: AtomicU64,
    /// The timer's number, whether it runs, and how far apart its ticks are to be while the guest works.
    pub(super) timer: AtomicUsize,
    pub(super) is_ticking: AtomicBool,
    pub(super) period: AtomicU64,
    /// How far apart they are now.
    pace: AtomicU64,
    /// When the last sample was taken, and how long that took.
    sampled_at: AtomicU64,
    sampling_took: AtomicU64,
    /// Whether ticks are samples. If not, they only bring requests.
    pub(super) is_sampled: AtomicBool,
    pub(super) requests: AtomicU32,
    pub(super) labels: Arc<CurrentLabels>,
    /// An instruction that traps.
    pub(super) trap: AtomicUsize,
    /// Whether the guest was sent there.
    pub(super) has_ended: AtomicBool,
    pub(super) n_overruns: AtomicU64,
    /// Samples that found no room, and the CPU and wall time that they stood for.
    pub(super) lost: [AtomicU64; 3],
}

impl Target {
    /// A target that nobody uses; `None` if there are too many.
    pub(super) fn take() -> Option<&'static Self> {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let index = free.unwrap_or_else(|| N_USED.fetch_add(1, Ordering::Relaxed));
        let slot = TARGETS.get(index)?;
        let target = slot.get_or_init(|| Box::leak(Box::new(Self::new(index))));
        target.reset();
        Some(target)
    }

    /// Gives it back. Nothing of a store or of a module is read through it when this returns.
    pub(super) fn give_back(&self) {
        self.thread.store(0, Ordering::SeqCst);
        self.live.forget();
        self.generation.fetch_add(1, Ordering::SeqCst);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(self.index);
    }

    fn new(index: usize) -> Self {
        Self {
            index,
            generation: AtomicU32::new(0),
            live: Live::default(),
            ring: Ring::new(RING_WORDS),
            thread: AtomicU64::new(0),
            is_paused: AtomicBool::new(false),
            functions: Default::default(),
            text: Default::default(),
            settled_cpu: AtomicU64::new(0),
            settled_wall: AtomicU64::new(0),
            timer: AtomicUsize::new(0),
            is_ticking: AtomicBool::new(false),
            period: AtomicU64::new(0),
            pace: AtomicU64::new(0),
            sampled_at: AtomicU64::new(0),
            sampling_took: AtomicU64::new(0),
            is_sampled: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            labels: Arc::default(),
            trap: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
            n_overruns: AtomicU64::new(0),
            lost: Default::default(),
        }
    }

    fn reset(&self) {
        self.ring.drain(&mut Vec::new(), |_| {});
        self.requests.store(0, Ordering::Relaxed);
        self.labels.clear();
        self.has_ended.store(false, Ordering::Relaxed);
        self.is_paused.store(false, Ordering::Relaxed);
        let times = [&self.settled_cpu, &self.settled_wall, &self.sampled_at, &self.sampling_took];
        for counter in times.into_iter().chain([&self.n_overruns]).chain(&self.lost) {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// What a timer for this use of the target gives the handler.
    pub(super) fn number(&self) -> u32 {
        let index = u32::try_from(self.index).unwrap_or_default();
        self.generation.load(Ordering::SeqCst) << INDEX_BITS | index
    }

    /// Whether the thread is in the guest, or in what the guest has called.
    pub(super) fn is_running(&self) -> bool {
        self.live.depth() > 0 && !self.is_paused.load(Ordering::Relaxed)
    }

    /// Where the guest's code lies.
    pub(super) fn set_code(&self, text: &Range<usize>, functions: &Range<usize>) {
        for (to, from) in [(&self.text, text), (&self.functions, functions)] {
            to[0].store(from.start, Ordering::Relaxed);
            to[1].store(from.end, Ordering::Relaxed);
        }
    }

    pub(super) fn place(&self, pc: usize) -> Place {
        let is_in = |of: &[AtomicUsize; 2]| {
            let [start, end] = of;
            (start.load(Ordering::Relaxed)..end.load(Ordering::Relaxed)).contains(&pc)
        };
        match (is_in(&self.functions), is_in(&self.text)) {
            (true, _) => Place::Guest,
            (_, true) => Place::Trampoline,
            _ => Place::Host,
        }
    }

    fn on_tick(&self, n_missed: u32, registers: &Registers) -> Option<usize> {
        // The timer that made this signal may have been another thread's, where the guest was before.
        if self.thread.load(Ordering::SeqCst) != this_thread() || !self.is_running() {
            return None;
        }
        let place = self.place(registers.pc);
        let requests = self.requests.load(Ordering::SeqCst);
        let ends = requests & END != 0;
        let elsewhere = if ends && place == Place::Guest { self.end(registers) } else { None };
        // Who asks for both wants to know where it ended.
        if requests & SHOW != 0 && (!ends || elsewhere.is_some()) && self.record(registers, place, Kind::Shown, [0; 2])
        {
            self.requests.fetch_and(!SHOW, Ordering::SeqCst);
        }
        if self.is_sampled.load(Ordering::Relaxed) {
            self.n_overruns.fetch_add(u64::from(n_missed), Ordering::Relaxed);
            self.sample(registers, place);
        }
        elsewhere
    }

    /// Takes a sample, unless the guest has had less time since the last one than that took: then it would get nothing
    /// done where stacks are so deep, or the period so short, that a sample takes longer than a period. The next sample
    /// stands for the time.
    fn sample(&self, registers: &Registers, place: Place) {
        let began = wall_now();
        let since = began.saturating_sub(self.sampled_at.load(Ordering::Relaxed));
        if since < self.sampling_took.load(Ordering::Relaxed) {
            self.n_overruns.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_blocked = place == Place::Host && registers.is_blocked();
        let passed = |settled: &AtomicU64, now: Nanos| now.saturating_sub(settled.swap(now, Ordering::Relaxed));
        let passed = [passed(&self.settled_cpu, CpuClock::now()), passed(&self.settled_wall, began)];
        self.pace(is_blocked);
        let kind = if is_blocked { Kind::Blocked } else { Kind::Running };
        if !self.record(registers, place, kind, passed) {
            for (lost, more) in self.lost.iter().zip([1, passed[0], passed[1]]) {
                lost.fetch_add(more, Ordering::Relaxed);
            }
        }
        let ended = wall_now();
        self.sampled_at.store(ended, Ordering::Relaxed);
        self.sampling_took.store(ended.saturating_sub(began), Ordering::Relaxed);
    }

    /// A guest that waits is interrupted less and less often, since each time costs it some time: a sleep that is
    /// interrupted begins anew with what is left of it.
    fn pace(&self, waits: bool) {
        let (period, pace) = (self.period.load(Ordering::Relaxed), self.pace.load(Ordering::Relaxed));
        let wanted = if waits { pace.max(period).saturating_mul(4).min(SLOWEST_PACE.max(period)) } else { period };
        if wanted != pace && self.is_ticking.load(Ordering::SeqCst) {
            self.pace.store(wanted, Ordering::Relaxed);
            let interval = Duration::from_nanos(wanted);
            // There is nobody to tell, and nothing that could be wrong with it.
            let _ = set_timer(self.timer.load(Ordering::Relaxed), interval, interval);
        }
    }

    /// The host returns to the guest: whatever it has waited for, it works again.
    pub(super) fn pick_up_pace(&self) {
        if self.pace.load(Ordering::Relaxed) > self.period.load(Ordering::Relaxed) {
            self.pace(false);
        }
    }

    /// The timer was set to tick with the period.
    pub(super) fn reset_pace(&self) {
        self.pace.store(self.period.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Where the thread is to go on so that the guest traps; `None` where wasmtime could not make a trap of it, at some
    /// instructions at which functions begin. The next tick will find another one.
    fn end(&self, registers: &Registers) -> Option<usize> {
        let trap = self.trap.load(Ordering::Relaxed);
        let top = self.live.walk(registers, Place::Guest, &mut |_| true)?;
        if trap == 0 || !top.is_whole || !top.has_frame {
            return None;
        }
        self.requests.fetch_and(!END, Ordering::SeqCst);
        self.has_ended.store(true, Ordering::SeqCst);
        Some(trap)
    }

    /// Writes the guest's stack with the CPU and wall time that have passed. False if there was no room.
    pub(super) fn record(&self, registers: &Registers, place: Place, kind: Kind, [cpu, wall]: [Nanos; 2]) -> bool {
        let mut record = self.ring.begin();
        for word in [0; HEADER] {
            record.push(word);
        }
        let mut n_frames = 0_usize;
        let mut is_cut = false;
        let top = self.live.walk(registers, place, &mut |pc| {
            n_frames = n_frames.wrapping_add(1);
            // One more than are kept tells that there were more.
            is_cut = n_frames > MAX_FRAMES;
            record.push(pc as u64) && !is_cut
        });
        let is_gone = top.is_some_and(|top| top.is_gone) && !is_cut;
        if is_gone {
            record.truncate(HEADER);
        }
        let top = top.filter(|_| !is_gone);
        let place = match place {
            Place::Guest => 0,
            Place::Trampoline => 1,
            Place::Host => 2,
        };
        let is_whole = top.is_none_or(|top| top.is_whole || is_cut);
        let labels = u64::from(self.labels.get().raw());
        let flags = place | u64::from(is_whole) << 2 | (kind as u64) << 3 | labels << LABELS_AT;
        let (pc, [word, next]) = top.map_or((0, [0; 2]), |top| (top.pc, top.words));
        for (idx, word) in
            [flags, cpu, wall, pc as u64, word as u64, next as u64, registers.lr as u64].into_iter().enumerate()
        {
            record.set(idx, word);
        }
        record.commit()
    }
}

/// The target with this index, if there ever was one.
pub(super) fn at(index: usize) -> Option<&'static Target> {
    TARGETS.get(index)?.get().copied()
}

/// A tick of the timer with this number; see [`crate::stack::OnTick`]. It runs in a signal handler.
pub(super) fn on_tick(number: u32, n_missed: u32, registers: &Registers) -> Option<usize> {
    let index = usize::try_from(number).ok()? & (MAX_TARGETS - 1);
    let target = at(index)?;
    if target.number() != number { None } else { target.on_tick(n_missed, registers) }
}
