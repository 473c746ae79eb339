//! After the guest: its profiles to their files, and a summary to the terminal.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use proto::Profile;
use proto::analysis::sample_index;
use proto::units::Amount;

use super::outputs::Outputs;
use crate::cli::messages::Messages;
use crate::heap::prepare::Prepared;
use crate::heap::probe::Sampled;
use crate::heap::rewrite::AddressMap;
use crate::measure::Measured;
use crate::record::{self, CpuProfile, HeapKind, HeapProfile, Names, Run};
use crate::{report, sink, stats};

/// Rows of the table that is printed after a run.
const SUMMARY_ROWS: usize = 10;

/// Characters of a row of that table.
const MAX_ROW: usize = 120;

/// Hooked functions that are named; some modules have dozens.
const NAMED_HOOKS: usize = 8;

/// A run that is over, to be written.
pub(super) struct Finished<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) path: &'a Path,
    pub(super) hz: u32,
    pub(super) has_wall: bool,
    pub(super) rate: u64,
    pub(super) ended: Instant,
    pub(super) measured: &'a Measured,
    pub(super) prepared: &'a Prepared,
    pub(super) messages: Messages,
}

/// What came of it.
pub(super) struct Written {
    pub(super) files: Vec<PathBuf>,
    /// Whether every file could be written.
    pub(super) is_whole: bool,
}

impl Written {
    fn note(&mut self, path: &Path, outcome: anyhow::Result<()>, messages: Messages) {
        match outcome {
            Ok(()) => self.files.push(path.to_owned()),
            Err(error) => {
                messages.error(&format!("{error:#}"));
                self.is_whole = false;
            }
        }
    }
}

impl Finished<'_> {
    /// Writes what was asked for. One file that fails does not keep the others from being written.
    pub(super) fn write(&self, outputs: &Outputs) -> Written {
        let first_entry = self.measured.cpu.first_entry;
        let duration = first_entry.map_or(Duration::ZERO, |entry| self.ended.saturating_duration_since(entry));
        let untouched = AddressMap::default();
        let run = Run {
            path: self.path,
            bytes: self.bytes,
            // A file that could not be compiled as it was rewritten ran as it is.
            map: if self.measured.heap.is_some() { &self.prepared.map } else { &untouched },
            started: SystemTime::now().checked_sub(self.ended.elapsed() + duration).unwrap_or_else(SystemTime::now),
            duration,
        };
        let debug_info = self.read_debug_info();
        let mut names = Names::new(self.bytes, debug_info.as_deref());
        let mut written = Written { files: Vec::new(), is_whole: true };
        if let Some(path) = &outputs.cpu {
            let profile = self.cpu(&mut names, &run);
            written.note(path, write_profile(path, &profile), self.messages);
        }
        match &self.measured.heap {
            Some(sampled) => self.write_heap(sampled, outputs, &mut names, &run, &mut written),
            None if outputs.looks_at_allocations() => {
                if let Some(reason) = &self.prepared.nothing {
                    self.messages.warn(&format!("{}: no heap profile: {reason}", self.path.display()));
                }
            }
            None => {}
        }
        let has_heap = self.measured.heap.is_some();
        let instead = outputs.memory_for_heap.as_ref().filter(|_| !has_heap && self.measured.grown.initial.bytes > 0);
        if let Some(path) = outputs.memory.as_ref().or(instead) {
            let profile = record::memory_profile(&self.measured.grown, &mut names, &run);
            written.note(path, write_profile(path, &profile), self.messages);
        }
        for warning in names.warnings() {
            self.messages.warn(&format!("{}: {warning}", self.path.display()));
        }
        self.say_what_was_written(&written.files);
        written
    }

    fn cpu(&self, names: &mut Names<'_>, run: &Run<'_>) -> Profile {
        let (samples, messages) = (&self.measured.cpu.samples, self.messages);
        let of = CpuProfile { measured: &self.measured.cpu, hz: self.hz, has_wall: self.has_wall };
        let profile = record::cpu_profile(&of, names, run);
        let cpu = Duration::from_nanos(self.measured.cpu.guest_cpu);
        messages.note(&format!(
            "{} samples at {} Hz; the guest used {cpu:.2?} of CPU in {:.2?}",
            samples.total().ticks,
            self.hz,
            run.duration
        ));
        if samples.lost().ticks > 0 {
            messages.note(&format!("{} samples have no stack and stand under [lost samples]", samples.lost().ticks));
        }
        if samples.total().ticks > 0 {
            let rows = report::summary_rows(&profile, SUMMARY_ROWS);
            messages.block(&rows.iter().map(|row| cut(row)).collect::<Vec<_>>().join("\n"));
        }
        profile
    }

    fn write_heap(
        &self,
        sampled: &Sampled,
        outputs: &Outputs,
        names: &mut Names<'_>,
        run: &Run<'_>,
        written: &mut Written,
    ) {
        let of = HeapProfile {
            sampled,
            rate: self.rate,
            has_frees: self.prepared.no_frees.is_none(),
            hooked: self.prepared.hooked_names(),
        };
        let raw = |kind, names: &mut Names<'_>| record::heap_profile(kind, &of, names, run);
        let heap = raw(HeapKind::Heap, names);
        let peak = raw(HeapKind::Peak, names);
        let trailer = self.trailer(&heap, &of);
        self.summarise(&heap, &peak, &of);
        let mut write = |path: &Option<PathBuf>, raw: &Profile| {
            if let Some(path) = path {
                let outcome = if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("txt")) {
                    let mut text = Vec::new();
                    proto::heap::write_text(&mut text, raw, of.period(), &trailer)
                        .map_err(anyhow::Error::from)
                        .and_then(|()| sink::file::write_whole(path, &text))
                } else {
                    write_profile(path, &proto::heap::unsample(raw, of.period()))
                };
                written.note(path, outcome, self.messages);
            }
        };
        write(&outputs.heap, &heap);
        if outputs.allocs.is_some() {
            write(&outputs.allocs, &raw(HeapKind::Allocs, names));
        }
        write(&outputs.peak, &peak);
    }

    /// Says how much is alive, and which functions that is known from.
    fn summarise(&self, heap: &Profile, peak: &Profile, of: &HeapProfile<'_>) {
        let messages = self.messages;
        let [heap, peak] = [heap, peak].map(|raw| proto::heap::unsample(raw, of.period()));
        let bytes = |profile: &Profile, kind: &str| Amount::auto(total(profile, kind), "bytes").to_string();
        let blocks = |profile: &Profile, kind: &str| match total(profile, kind) {
            1 => "1 block".to_owned(),
            n => format!("{n} blocks"),
        };
        let allocated = format!("{} allocated in {}", bytes(&heap, "alloc_space"), blocks(&heap, "alloc_objects"));
        let about = if of.rate > 1 { "heap, estimated" } else { "heap" };
        messages.note(&match &self.prepared.no_frees {
            Some(_) => format!("{about}: {allocated}"),
            None => format!(
                "{about}: {} in use in {} at the end, {} at the peak; {allocated}",
                bytes(&heap, "inuse_space"),
                blocks(&heap, "inuse_objects"),
                bytes(&peak, "inuse_space"),
            ),
        });
        let hooked = &of.hooked;
        let more = hooked.len().saturating_sub(NAMED_HOOKS);
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named: Vec<String> = hooked.iter().take(NAMED_HOOKS).map(|name| cut(name)).collect();
        messages.note(&format!("hooked: {}{and_more}", named.join(", ")));
        if let Some(reason) = &self.prepared.no_frees {
            messages.note(&format!("no in-use columns: {reason}"));
        }
        for note in &self.prepared.notes {
            messages.warn(&format!("{}: {note}", self.path.display()));
        }
        let n_overwritten = of.sampled.n_overwritten;
        if n_overwritten > 0 {
            messages.warn(&format!(
                "{n_overwritten} sampled blocks were freed without wprof seeing it: some way to free is not hooked, and \
                 in-use values may be too high; --alloc NAME=free adds it"
            ));
        }
        if of.sampled.walker_failed {
            messages.warn("stacks were not as wprof expects them on this machine; they were taken the slow way");
        }
    }

    /// What Go's text form says at its end: those of its keys that have a meaning here.
    fn trailer(&self, raw: &Profile, of: &HeapProfile<'_>) -> Vec<(String, String)> {
        let heap = proto::heap::unsample(raw, of.period());
        let grown = &self.measured.grown;
        let memory = grown.initial.bytes + grown.stacks.iter().map(|(.., grown)| grown.bytes).sum::<u64>();
        let mut trailer = Vec::new();
        let mut add = |key: &str, value: String| trailer.push((key.to_owned(), value));
        if of.has_frees {
            add("Alloc", total(&heap, "inuse_space").to_string());
        }
        add("TotalAlloc", total(&heap, "alloc_space").to_string());
        add("Mallocs", total(&heap, "alloc_objects").to_string());
        if of.has_frees {
            add("Frees", (total(&heap, "alloc_objects") - total(&heap, "inuse_objects")).to_string());
            add("HeapObjects", total(&heap, "inuse_objects").to_string());
        }
        add("HeapSys", memory.to_string());
        if let Some(bytes) = stats::peak_rss() {
            add("MaxRSS", bytes.to_string());
        }
        trailer
    }

    fn say_what_was_written(&self, files: &[PathBuf]) {
        let all: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        match all.as_slice() {
            [] => {}
            [file] => self.messages.note(&format!("wrote {file}; open it with: wprof view {file}")),
            files => self.messages.note(&format!("wrote {0}; open with: wprof view {0}", files.join(" "))),
        }
    }

    /// The file beside the module that an `external_debug_info` section names.
    fn read_debug_info(&self) -> Option<Vec<u8>> {
        let name = symbols::external_debug_info(self.bytes)?;
        let path = self.path.with_file_name(name);
        match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.messages.warn(&format!("debug info in {} is not used: {error}", path.display()));
                None
            }
        }
    }
}

fn write_profile(path: &Path, profile: &Profile) -> anyhow::Result<()> {
    sink::file::write_whole(path, &proto::encode_gzip(profile))
}

/// The sum of a column; 0 for one that the profile has not.
fn total(profile: &Profile, kind: &str) -> i64 {
    sample_index(profile, Some(kind)).map_or(0, |index| proto::analysis::total(profile, index, false))
}

/// Names may be of any length; `wprof top` shows them whole.
fn cut(row: &str) -> String {
    match row.char_indices().nth(MAX_ROW) {
        Some((end, _)) => format!("{}…", &row[..end]),
        None => row.to_owned(),
    }
}
