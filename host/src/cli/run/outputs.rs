//! Which profiles a run writes, and where.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Options that say where profiles land.
#[derive(Debug, clap::Args)]
pub(super) struct Opts {
    /// Where profiles land.
    #[arg(short = 'o', long, value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,

    /// Write the CPU profile to this file instead of cpu.prof in the output folder.
    #[arg(long, value_name = "FILE", conflicts_with = "no_cpu")]
    cpuprofile: Option<PathBuf>,

    /// Write the heap profile to this file instead of heap.prof in the output folder; a name that ends in .txt asks
    /// for Go's text form, for this one and the next two.
    #[arg(long, value_name = "FILE", conflicts_with = "no_heap")]
    memprofile: Option<PathBuf>,

    /// Write the same, to be shown by what was allocated, to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "no_heap")]
    allocsprofile: Option<PathBuf>,

    /// Write what was alive when most bytes were to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "no_heap")]
    peakprofile: Option<PathBuf>,

    /// Write which calls made the guest's linear memory grow to this file.
    #[arg(long, value_name = "FILE")]
    memoryprofile: Option<PathBuf>,

    /// Write where the guest waited, in host calls and for its locks, to this file.
    #[arg(long, value_name = "FILE")]
    blockprofile: Option<PathBuf>,

    /// Write who held locks that others waited for, which guests with wprof's SDK tell and those with threads show, to this
    /// file.
    #[arg(long, value_name = "FILE")]
    mutexprofile: Option<PathBuf>,

    /// Take no CPU profile.
    #[arg(long)]
    no_cpu: bool,

    /// Take no heap profile: the module then runs exactly as it is, but for threads whose waits are wanted.
    #[arg(long)]
    no_heap: bool,
}

/// Files to be written.
#[derive(Debug)]
pub(super) struct Outputs {
    pub(super) cpu: Option<PathBuf>,
    pub(super) heap: Option<PathBuf>,
    pub(super) allocs: Option<PathBuf>,
    pub(super) peak: Option<PathBuf>,
    pub(super) memory: Option<PathBuf>,
    pub(super) block: Option<PathBuf>,
    pub(super) mutex: Option<PathBuf>,
    /// Where the memory profile goes when there can be no heap profile and the user named no file for either.
    pub(super) memory_for_heap: Option<PathBuf>,
}

impl Outputs {
    pub(super) fn looks_at_allocations(&self) -> bool {
        self.heap.is_some() || self.allocs.is_some() || self.peak.is_some()
    }

    pub(super) fn waits_are_wanted(&self) -> bool {
        self.block.is_some() || self.mutex.is_some()
    }
}

impl Opts {
    /// The files. Asked before the guest runs, so that a mistake costs nothing.
    ///
    /// While profiles are served, CPU time is for the clients to ask for, unless a file for it is named.
    pub(super) fn paths(&self, memprofilerate: u64, is_served: bool) -> anyhow::Result<Outputs> {
        let heap_is_on = !self.no_heap && memprofilerate > 0;
        let has_cpu = !self.no_cpu && !is_served;
        let uses_output_dir = (has_cpu && self.cpuprofile.is_none()) || (heap_is_on && self.memprofile.is_none());
        if uses_output_dir {
            std::fs::create_dir_all(&self.output_dir)
                .with_context(|| format!("failed to make the output folder {}", self.output_dir.display()))?;
        }
        let in_dir = |name: &str| tidy(&self.output_dir.join(name));
        let named = |flag: &str, path: &Option<PathBuf>| path.as_deref().map(|path| checked(flag, path)).transpose();
        let heap_file = |flag: &str, path: &Option<PathBuf>| named(flag, path).map(|it| it.filter(|_| heap_is_on));
        let memory = named("--memoryprofile", &self.memoryprofile)?;
        let is_default = self.memprofile.is_none();
        Ok(Outputs {
            cpu: match named("--cpuprofile", &self.cpuprofile)? {
                None if has_cpu => Some(in_dir("cpu.prof")),
                path => path,
            },
            heap: match heap_file("--memprofile", &self.memprofile)? {
                None if heap_is_on => Some(in_dir("heap.prof")),
                path => path,
            },
            allocs: heap_file("--allocsprofile", &self.allocsprofile)?,
            peak: heap_file("--peakprofile", &self.peakprofile)?,
            block: named("--blockprofile", &self.blockprofile)?,
            mutex: named("--mutexprofile", &self.mutexprofile)?,
            memory_for_heap: (heap_is_on && is_default && memory.is_none()).then(|| in_dir("memory.prof")),
            memory,
        })
    }
}

fn checked(flag: &str, path: &Path) -> anyhow::Result<PathBuf> {
    if path.as_os_str() == "-" {
        bail!("{flag} - is refused: standard output belongs to the guest; give a file name");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("{} cannot be written: there is no folder {}", path.display(), folder.display());
    }
    Ok(tidy(path))
}

/// `./cpu.prof` reads better without its dot.
fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
