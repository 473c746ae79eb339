//! From the handler's records to samples.

use std::sync::Arc;

use super::edge::{Seen, missing_return};
use super::target::{HEADER, Kind, LABELS_AT};
use crate::labels::LabelsId;
use crate::sample::{Carried, Carry, Doing, Leaf, Nanos, RawSamples, Subject, Value};
use crate::stack::{CodeOffsets, MAX_FRAMES};

/// What has been read of a target's records so far. Frames are offsets in the machine code: of the instruction itself at
/// the leaf, of the last byte of the call at its callers.
#[derive(Debug)]
pub(super) struct Collected {
    subject: Arc<Subject>,
    /// Where the machine code begins in memory.
    text: u64,
    period: Nanos,
    samples: RawSamples,
    /// CPU time that has not made a period yet.
    owed: Nanos,
    /// Whether the guest waited when it was seen last.
    was_blocked: bool,
    /// CPU time that it had used before it waited.
    carried: Nanos,
    /// What other stores have used.
    carry: Option<Arc<Carry>>,
    /// Stacks with a frame that is not in the guest's code, or that do not lead to where it was entered.
    n_bad: u64,
    /// What was wrong last.
    #[cfg(test)]
    pub(super) last_bad: String,
    /// The stack that somebody has asked for.
    shown: Option<(Vec<u32>, Leaf)>,
    /// Kept between records, so that one allocates nothing of ours.
    frames: Vec<u32>,
}

impl Collected {
    pub(super) fn new(subject: Arc<Subject>, carry: Option<Arc<Carry>>, period: Nanos) -> Self {
        let text = subject.code().text().as_ptr().addr() as u64;
        let samples = RawSamples::default();
        Self {
            subject,
            text,
            period,
            samples,
            owed: 0,
            was_blocked: false,
            carried: 0,
            carry,
            n_bad: 0,
            #[cfg(test)]
            last_bad: String::new(),
            shown: None,
            frames: Vec::new(),
        }
    }

    /// Forgets all samples; the next ones come with this period.
    pub(super) fn begin_anew(&mut self, period: Nanos) {
        self.period = period;
        (self.samples, self.owed, self.carried, self.n_bad) = (RawSamples::default(), 0, 0, 0);
        self.was_blocked = false;
    }

    /// Takes in a record as the handler has written it.
    pub(super) fn add(&mut self, record: &[u64]) {
        let Some((&[first, cpu, wall, pc, word, next, lr], chain)) = record.split_first_chunk::<HEADER>() else {
            return;
        };
        let flags = first & ((1 << LABELS_AT) - 1);
        let labels = LabelsId::from_raw(u32::try_from(first >> LABELS_AT).unwrap_or_default());
        let is_whole = flags & 4 != 0;
        let is_sample = flags >> 3 != Kind::Shown as u64;
        let leaf = if flags & 3 == 0 { Leaf::Guest } else { Leaf::HostCall };
        let is_good = is_whole && self.read_frames(flags & 3, pc, [word, next], lr, chain);
        let is_blocked = flags >> 3 == Kind::Blocked as u64;
        let value = match (is_sample, &self.carry) {
            (true, Some(carry)) if is_good && !is_blocked => {
                let carried = carry.take();
                self.owed = self.owed.saturating_add(carried.owed);
                self.value(cpu.saturating_add(carried.cpu), wall.saturating_add(carried.wall), false)
            }
            (true, _) => self.value(cpu, wall, is_blocked),
            (false, _) => Value::default(),
        };
        match (is_good, is_sample) {
            (true, true) => {
                let is_cut = self.frames.len() > MAX_FRAMES;
                self.samples.record_cut(&self.frames, is_cut, Doing { leaf, labels }, value);
            }
            (true, false) => self.shown = Some((self.frames.clone(), leaf)),
            (false, _) => {
                self.n_bad += 1;
                #[cfg(test)]
                {
                    self.last_bad = self.describe(record);
                }
                self.samples.record_lost(value);
            }
        }
    }

    /// The frames of a record; false if one of them cannot be.
    fn read_frames(&mut self, place: u64, pc: u64, top: [u64; 2], lr: u64, chain: &[u64]) -> bool {
        const GUEST: u64 = 0;
        const HOST: u64 = 2;
        self.frames.clear();
        let code = self.subject.code().text();
        let in_code = |address: u64| address.wrapping_sub(self.text);
        let call = |address: u64| in_code(address).wrapping_sub(1);
        let mut push = |at: u64| {
            let Some(at) = usize::try_from(at).ok().filter(|&at| at < code.len()) else { return false };
            // What is not in a function is a trampoline between two of the guest's, and no frame of its own.
            self.frames.extend(self.subject.functions().at(at).and_then(|_| u32::try_from(at).ok()));
            true
        };
        if pc == 0 {
            // Nothing but outer activations.
        } else if place == HOST {
            if !push(call(pc)) {
                return false;
            }
        } else {
            let at = usize::try_from(in_code(pc)).unwrap_or(usize::MAX);
            if place == GUEST && !push(at as u64) {
                return false;
            }
            let own = self.subject.functions().at(at).copied();
            let is_own = |at: usize| own.is_some_and(|own| (own.start..own.end).contains(&at));
            let first = chain.first().map(|&first| in_code(first));
            let seen = Seen { at, top: top.map(in_code), lr: in_code(lr), first };
            if let Some(missing) = missing_return(code, &seen, is_own) {
                // Where the guest's first function is only just entered, that is the trampoline, which is no frame.
                push(missing.wrapping_sub(1));
            }
        }
        chain.iter().all(|&address| push(call(address)))
    }

    /// What a sample stands for.
    ///
    /// A thread that is found waiting has used what it used of the CPU before, elsewhere: that is given to the next stack that
    /// is found at work, as the CPU time of any other thread is. Of the wall time, all but that was waiting; likewise when
    /// it is found at work after it was waiting.
    fn value(&mut self, cpu: Nanos, wall: Nanos, is_blocked: bool) -> Value {
        let waited = wall.saturating_sub(cpu);
        let was_blocked = std::mem::replace(&mut self.was_blocked, is_blocked);
        if is_blocked {
            self.carried = self.carried.saturating_add(cpu);
            return Value { wall: waited, ..Value::default() };
        }
        let used = cpu.saturating_add(std::mem::take(&mut self.carried));
        if was_blocked {
            self.samples.record_more(Value { wall: waited, ..Value::default() });
            return Value { wall: used, ..self.used(used) };
        }
        Value { wall: wall.saturating_add(used.saturating_sub(cpu)), ..self.used(used) }
    }

    /// Every period of CPU time is a tick, whenever it is seen.
    fn used(&mut self, cpu: Nanos) -> Value {
        self.owed = self.owed.saturating_add(cpu);
        let ticks = self.owed / self.period.max(1);
        self.owed %= self.period.max(1);
        Value { ticks, cpu, wall: 0 }
    }

    /// Counts what found no room in the ring.
    pub(super) fn add_lost(&mut self, cpu: Nanos, wall: Nanos) {
        let value = Value { wall, ..self.used(cpu) };
        self.samples.record_lost(value);
    }

    /// Counts what passed since the last sample, as there will be no more. A thread that was waiting then went on waiting, but for
    /// what it used of the CPU.
    pub(super) fn add_tail(&mut self, cpu: Nanos, mut wall: Nanos) {
        if std::mem::take(&mut self.was_blocked) {
            self.samples.record_more(Value { wall: wall.saturating_sub(cpu), ..Value::default() });
            wall = wall.min(cpu);
        }
        let carried = std::mem::take(&mut self.carried);
        let (cpu, wall) = (cpu.saturating_add(carried), wall.saturating_add(carried));
        if let Some(carry) = &self.carry {
            return carry.put(Carried { cpu, wall, owed: std::mem::take(&mut self.owed) });
        }
        let value = Value { wall, ..self.used(cpu) };
        self.samples.record_tail(value, self.period);
    }

    /// A record, for whoever mends what is wrong with it.
    #[cfg(test)]
    fn describe(&self, record: &[u64]) -> String {
        let place = |&address: &u64| {
            let at = usize::try_from(address.wrapping_sub(self.text)).unwrap_or(usize::MAX);
            match self.subject.functions().at(at) {
                Some(function) => format!("{}+{:#x}", function.index, at - function.start),
                None if at < self.subject.code().text().len() => format!("text+{at:#x}"),
                None => format!("{address:#x}"),
            }
        };
        let at = usize::try_from(record[3].wrapping_sub(self.text)).unwrap_or(usize::MAX);
        let code = self.subject.code().text().get(at.saturating_sub(24)..at.saturating_add(24)).unwrap_or_default();
        let words: Vec<String> = record.iter().skip(3).take(16).map(place).collect();
        format!("flags {:#x}, {} words: {words:?}, code from -24: {code:02x?}", record[0], record.len())
    }

    pub(super) fn n_bad(&self) -> u64 {
        self.n_bad
    }

    /// Takes out the samples so far, as offsets in the file, and how many stacks were bad.
    pub(super) fn take_resolved(&mut self) -> (RawSamples, u64) {
        let samples = std::mem::take(&mut self.samples);
        let resolve = |offsets: &CodeOffsets| samples.with_places(|place| offsets.file_offset(place));
        (self.subject.with_offsets(samples.places(), resolve), std::mem::take(&mut self.n_bad))
    }

    /// The stack that was asked for, as offsets in the file, if it has come.
    pub(super) fn take_shown(&mut self) -> Option<(Vec<u32>, Leaf)> {
        let (frames, leaf) = self.shown.take()?;
        let resolve = |offsets: &CodeOffsets| frames.iter().filter_map(|&frame| offsets.file_offset(frame)).collect();
        Some((self.subject.with_offsets(frames.iter().copied(), resolve), leaf))
    }

    /// The same as indices of functions.
    pub(super) fn take_shown_functions(&mut self) -> Option<(Vec<u32>, Leaf)> {
        let (frames, leaf) = self.shown.take()?;
        Some((self.indices(&frames), leaf))
    }

    /// Every stack so far, as indices of functions.
    pub(super) fn function_stacks(&self) -> impl Iterator<Item = (Vec<u32>, Leaf)> + '_ {
        self.samples.stacks().map(|stack| (self.indices(&stack.offsets), stack.leaf))
    }

    fn indices(&self, frames: &[u32]) -> Vec<u32> {
        frames.iter().filter_map(|&frame| self.subject.functions().at(frame as usize)).map(|it| it.index).collect()
    }
}
