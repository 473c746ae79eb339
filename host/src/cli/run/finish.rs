//! After the guest: its profiles to their files, and a summary to the terminal.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use proto::Profile;
use proto::units::Amount;

use super::outputs::Outputs;
use crate::cli::messages::Messages;
use crate::heap::probe::Sampled;
use crate::measure::Measured;
use crate::record::HeapKind;
use crate::registry::{BuiltIn, CpuOptions, NamedProfile, Registry, total};
use crate::{report, sink};

/// Rows of the table that is printed after a run.
const SUMMARY_ROWS: usize = 10;

/// Characters of a row of that table.
const MAX_ROW: usize = 120;

/// Hooked functions that are named; some modules have dozens.
const NAMED_HOOKS: usize = 8;

/// A run that is over, to be written.
pub(super) struct Finished<'a> {
    pub(super) registry: &'a Registry,
    pub(super) cpu: CpuOptions,
    pub(super) ended: Instant,
    pub(super) measured: &'a Measured,
    /// What the user should know of how its allocator was hooked.
    pub(super) notes: &'a [String],
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
        let mut written = Written { files: Vec::new(), is_whole: true };
        if let Some(path) = &outputs.cpu {
            written.note(path, write_profile(path, &self.cpu_profile()), self.messages);
        }
        match &self.measured.heap {
            Some(sampled) => self.write_heap(sampled, outputs, &mut written),
            None if outputs.looks_at_allocations() => {
                if let Some(reason) = &self.registry.module().heap.nothing {
                    self.messages.warn(&format!("{}: no heap profile: {reason}", self.path().display()));
                }
            }
            None => {}
        }
        let has_heap = self.measured.heap.is_some();
        let instead = outputs.memory_for_heap.as_ref().filter(|_| !has_heap && self.measured.grown.initial.bytes > 0);
        if let Some(path) = outputs.memory.as_ref().or(instead) {
            written.note(path, write_profile(path, &self.registry.memory()), self.messages);
        }
        for (path, built_in) in [(&outputs.block, BuiltIn::Block), (&outputs.mutex, BuiltIn::Mutex)] {
            if let Some(path) = path {
                let outcome = self.named(path, NamedProfile::BuiltIn(built_in));
                written.note(path, outcome, self.messages);
            }
        }
        for warning in self.registry.module().warnings() {
            self.messages.warn(&format!("{}: {warning}", self.path().display()));
        }
        self.say_what_was_written(&written.files);
        written
    }

    /// A profile to a file, as text if its name says so.
    fn named(&self, path: &Path, profile: NamedProfile) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        self.registry.write_to(profile, i32::from(is_text(path)), &mut bytes)?;
        sink::file::write_whole(path, &bytes)
    }

    fn path(&self) -> &Path {
        &self.registry.module().path
    }

    fn cpu_profile(&self) -> Profile {
        let messages = self.messages;
        let first_entry = self.measured.cpu.first_entry;
        let duration = first_entry.map_or(Duration::ZERO, |entry| self.ended.saturating_duration_since(entry));
        let began = SystemTime::now().checked_sub(self.ended.elapsed() + duration).unwrap_or_else(SystemTime::now);
        let profile = self.registry.cpu_profile(&self.measured.cpu, self.cpu, began, duration);
        let (samples, cpu) = (&self.measured.cpu.samples, Duration::from_nanos(self.measured.cpu.guest_cpu));
        messages.note(&format!(
            "{} samples at {} Hz; the guest used {cpu:.2?} of CPU in {duration:.2?}",
            samples.total().ticks,
            self.cpu.hz,
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

    fn write_heap(&self, sampled: &Sampled, outputs: &Outputs, written: &mut Written) {
        let raw = |kind| self.registry.raw_heap_of(kind, sampled);
        let ((heap, rate), (peak, _)) = (raw(HeapKind::Heap), raw(HeapKind::Peak));
        let trailer = self.registry.heap_trailer(&heap, rate, &self.measured.grown);
        self.summarise(&heap, &peak, rate, sampled);
        let mut write = |path: &Option<PathBuf>, raw: &Profile| {
            if let Some(path) = path {
                let outcome = if is_text(path) {
                    let mut text = Vec::new();
                    proto::heap::write_text(&mut text, raw, rate, &trailer)
                        .map_err(anyhow::Error::from)
                        .and_then(|()| sink::file::write_whole(path, &text))
                } else {
                    write_profile(path, &proto::heap::unsample(raw, rate))
                };
                written.note(path, outcome, self.messages);
            }
        };
        write(&outputs.heap, &heap);
        if outputs.allocs.is_some() {
            write(&outputs.allocs, &raw(HeapKind::Allocs).0);
        }
        write(&outputs.peak, &peak);
    }

    /// Says how much is alive, and which functions that is known from.
    fn summarise(&self, heap: &Profile, peak: &Profile, rate: i64, sampled: &Sampled) {
        let messages = self.messages;
        let facts = &self.registry.module().heap;
        let [heap, peak] = [heap, peak].map(|raw| proto::heap::unsample(raw, rate));
        let bytes = |profile: &Profile, kind: &str| Amount::auto(total(profile, kind), "bytes").to_string();
        let blocks = |profile: &Profile, kind: &str| match total(profile, kind) {
            1 => "1 block".to_owned(),
            n => format!("{n} blocks"),
        };
        let allocated = format!("{} allocated in {}", bytes(&heap, "alloc_space"), blocks(&heap, "alloc_objects"));
        let about = if rate > 1 { "heap, estimated" } else { "heap" };
        messages.note(&match &facts.no_frees {
            Some(_) => format!("{about}: {allocated}"),
            None => format!(
                "{about}: {} in use in {} at the end, {} at the peak; {allocated}",
                bytes(&heap, "inuse_space"),
                blocks(&heap, "inuse_objects"),
                bytes(&peak, "inuse_space"),
            ),
        });
        let hooked = &facts.hooked;
        let more = hooked.len().saturating_sub(NAMED_HOOKS);
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named: Vec<String> = hooked.iter().take(NAMED_HOOKS).map(|name| cut(name)).collect();
        messages.note(&format!("hooked: {}{and_more}", named.join(", ")));
        if let Some(reason) = &facts.no_frees {
            messages.note(&format!("no in-use columns: {reason}"));
        }
        for note in self.notes {
            messages.warn(&format!("{}: {note}", self.path().display()));
        }
        let n_overwritten = sampled.n_overwritten;
        if n_overwritten > 0 {
            messages.warn(&format!(
                "{n_overwritten} sampled blocks were freed without wprof seeing it: some way to free is not hooked, and \
                 in-use values may be too high; --alloc NAME=free adds it"
            ));
        }
        if sampled.walker_failed {
            messages.warn("stacks were not as wprof expects them on this machine; they were taken the slow way");
        }
    }

    fn say_what_was_written(&self, files: &[PathBuf]) {
        let all: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        match all.as_slice() {
            [] => {}
            [file] => self.messages.note(&format!("wrote {file}; open it with: wprof view {file}")),
            files => self.messages.note(&format!("wrote {0}; open with: wprof view {0}", files.join(" "))),
        }
    }
}

/// Whether Go's text form is wanted.
fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("txt"))
}

fn write_profile(path: &Path, profile: &Profile) -> anyhow::Result<()> {
    sink::file::write_whole(path, &proto::encode_gzip(profile))
}

/// Names may be of any length; `wprof top` shows them whole.
fn cut(row: &str) -> String {
    match row.char_indices().nth(MAX_ROW) {
        Some((end, _)) => format!("{}…", &row[..end]),
        None => row.to_owned(),
    }
}
