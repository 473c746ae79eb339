//! A guest under `perf record`, and which place each of its samples fell in.
//!
//! Samples have the addresses of a short call chain, unwound from 256 bytes of stack: enough to tell a `memmove` that the guest
//! asked for from one of the host's. The chain's first address outside the kernel is looked up in wasmtime's perf map, whose
//! functions stand in the order of the module's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::HZ;
use super::flat::{Place, Shares};
use super::functions::Functions;
use crate::bench::run_stats::{self, run_under};
use crate::bench::workload::Workload;
use crate::project::{Project, run_quietly};

/// One recorded run.
pub(super) struct Recorded {
    pub(super) n_samples: f64,
    pub(super) shares: Shares,
    /// What wasmtime calls the guest's functions.
    pub(super) names: BTreeMap<Place, String>,
}

/// The thread of wprof's that runs the guest.
const THREAD: &str = "guest";

/// Whether perf may look at processes of ours, and at what the kernel does for them.
pub(super) fn check(project: &Project) -> Result<()> {
    let file = run_stats::dir(project)?.join("perf.data");
    run_quietly(perf_record(&file).arg("true")).context("Debian has it in linux-perf")?;
    let events = run_quietly(Command::new("perf").args(["evlist", "-i"]).arg(&file))?;
    let events = String::from_utf8_lossy(&events.stdout).into_owned();
    if events.trim() != "cpu-clock" {
        bail!("it records `{}`, without the kernel (kernel.perf_event_paranoid)", events.trim());
    }
    Ok(())
}

pub(super) fn record(project: &Project, workload: &Workload, functions: &Functions) -> Result<Recorded> {
    let file = run_stats::dir(project)?.join("perf.data");
    let mut perf = perf_record(&file);
    perf.env("WPROF_PERF_MAP", "1");
    let (stats, _) = run_under(project, workload, &["--no-cpu", "--no-heap"], Some(perf))?;
    if !stats.cache_hit {
        bail!("the compiler ran under perf: the guest was to come from the cache");
    }
    let mut script = Command::new("perf");
    script.args(["script", "--no-inline", "--comm", THREAD, "-F", "comm,pid,tid,ip", "-i"]).arg(&file);
    let text = String::from_utf8_lossy(&run_quietly(&mut script)?.stdout).into_owned();
    let samples: Vec<Sample> = text.split("\n\n").filter_map(Sample::parse).collect();
    let pid = samples.first().context("perf saw nothing of the guest's thread")?.pid;
    let code = Code::read(pid, functions)?;
    let mut places: Vec<Option<Place>> = samples.iter().map(|sample| code.place(&sample.chain)).collect();
    trim(&mut places);
    Ok(Recorded {
        n_samples: places.len() as f64,
        shares: Shares::of(places.iter().map(|place| (place.unwrap_or(Place::Host), 1.0))),
        names: code.names(),
    })
}

fn perf_record(file: &Path) -> Command {
    let mut perf = Command::new("perf");
    let hz = HZ.to_string();
    perf.args(["record", "-q", "-e", "cpu-clock", "-F", &hz, "--call-graph", "dwarf,256", "-o"]).arg(file).arg("--");
    perf
}

/// Before the first sample that has to do with the guest's code, and after the last, the thread gets the guest ready and puts it
/// away.
fn trim(places: &mut Vec<Option<Place>>) {
    let last = places.iter().rposition(Option::is_some);
    places.truncate(last.map_or(0, |idx| idx + 1));
    let first = places.iter().position(Option::is_some);
    places.drain(..first.unwrap_or(0));
}

/// As `perf script` prints it: a line of thread and process, then a line for each address, innermost first.
#[derive(Debug, PartialEq, Eq)]
struct Sample {
    pid: u32,
    chain: Vec<u64>,
}

impl Sample {
    fn parse(block: &str) -> Option<Self> {
        let mut words = block.split_whitespace().skip_while(|word| !word.contains('/'));
        let (pid, _) = words.next()?.split_once('/')?;
        Some(Self {
            pid: pid.parse().ok()?,
            chain: words.filter_map(|word| u64::from_str_radix(word, 16).ok()).collect(),
        })
    }
}

/// What wasmtime compiled, by address.
#[derive(Debug)]
struct Code(Vec<Piece>);

#[derive(Debug)]
struct Piece {
    start: u64,
    end: u64,
    place: Place,
    name: String,
}

impl Code {
    /// Reads a process's perf map, and removes it.
    fn read(pid: u32, functions: &Functions) -> Result<Self> {
        // Not the folder that TMPDIR names: perf and wasmtime have agreed on this one.
        let file = Path::new("/tmp").join(format!("perf-{pid}.map"));
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
        Self::parse(&text, functions)
    }

    fn parse(text: &str, functions: &Functions) -> Result<Self> {
        // Each module's functions come together, and then its trampolines. wprof has small modules of its own.
        let mut modules: Vec<Vec<Piece>> = Vec::new();
        for line in text.lines() {
            let piece = Piece::parse(line).with_context(|| format!("read {line:?}"))?;
            let is_function = |piece: &Piece| matches!(piece.place, Place::Function(_));
            let begins =
                is_function(&piece) && modules.last().and_then(|it| it.last()).is_none_or(|it| !is_function(it));
            match modules.last_mut() {
                Some(module) if !begins => module.push(piece),
                _ => modules.push(vec![piece]),
            }
        }
        let mut counts = Vec::new();
        let mut found = None;
        for mut pieces in modules {
            pieces.sort_by_key(|piece| piece.start);
            let mut n_functions = 0;
            for piece in &mut pieces {
                if let Place::Function(idx) = &mut piece.place {
                    *idx = n_functions;
                    n_functions += 1;
                }
            }
            counts.push(n_functions);
            if n_functions == functions.n() {
                found = Some(pieces);
            }
        }
        let Some(pieces) = found else {
            bail!("the perf map has modules of {counts:?} functions, and none of {}", functions.n());
        };
        Ok(Self(pieces))
    }

    /// Where a sample fell; `None` if nothing tells that the guest had been entered.
    fn place(&self, chain: &[u64]) -> Option<Place> {
        // The kernel's addresses, and marks between the two kinds, are in the upper half.
        let mut chain = chain.iter().filter(|&&address| address < 1 << 63);
        if let Some(piece) = self.piece(*chain.next()?) {
            return Some(piece.place);
        }
        // In a builtin that was called from here, or in a host call.
        match self.piece(chain.find(|&&address| self.piece(address - 1).is_some())? - 1)?.place {
            Place::Function(_) => Some(Place::Host),
            lumped => Some(lumped),
        }
    }

    fn piece(&self, address: u64) -> Option<&Piece> {
        let after = self.0.partition_point(|piece| piece.start <= address);
        self.0.get(after.checked_sub(1)?).filter(|piece| address < piece.end)
    }

    fn names(&self) -> BTreeMap<Place, String> {
        let pieces = self.0.iter().map(|piece| (piece.place, piece.name.clone()));
        let lumped = [
            (Place::MemoryCopy, "[builtin] memory.copy"),
            (Place::MemoryFill, "[builtin] memory.fill"),
            (Place::Host, "host calls"),
            (Place::Lost, "lost"),
        ];
        pieces.chain(lumped.map(|(place, name)| (place, name.to_owned()))).collect()
    }
}

impl Piece {
    /// `0x7f803c3c9ec0 1670 truth::straight_line`. Functions are not numbered yet.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let start = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
        let end = start + u64::from_str_radix(words.next()?, 16).ok()?;
        let name = words.next()?.to_owned();
        // What wasmtime calls the code that it makes up, which leads in or out.
        let glue = ["wasm[0]::array_to_wasm_trampoline[", "signatures[", "module_start[", "wasmtime_"];
        let place = match name.strip_prefix("wasmtime_builtin_") {
            Some(builtin) => Place::of_builtin(builtin),
            None if glue.iter().any(|prefix| name.starts_with(prefix)) => Place::Host,
            None => Place::Function(0),
        };
        Some(Self { start, end, place, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "\
0x7f0000001000 100 app::main
0x7f0000001100 80 app::work
0x7f0000001200 40 signatures[0]::wasm_to_array_trampoline
0x7f0000001240 20 wasmtime_builtin_memory_copy
";

    fn code() -> Code {
        Code::parse(MAP, &Functions::of(&module(2)).unwrap()).unwrap()
    }

    /// A module with so many functions.
    fn module(n: usize) -> Vec<u8> {
        let mut module = wasm_encoder::Module::new();
        let mut types = wasm_encoder::TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut bodies) = (wasm_encoder::FunctionSection::new(), wasm_encoder::CodeSection::new());
        for _ in 0..n {
            functions.function(0);
            let mut body = wasm_encoder::Function::new([]);
            body.instructions().end();
            bodies.function(&body);
        }
        module.section(&types).section(&functions).section(&bodies);
        module.finish()
    }

    #[test]
    fn the_map_must_be_the_modules() {
        assert!(Code::parse(MAP, &Functions::of(&module(3)).unwrap()).is_err());
        assert!(Code::parse("0x10 zz a", &Functions::default()).is_err());
    }

    #[test]
    fn a_sample_falls_where_the_guest_was() {
        let code = code();
        let check = |chain: &str, expected: Option<Place>| {
            let sample = Sample::parse(&format!("guest  10/11 \n\t{}\n", chain.replace(' ', "\n\t "))).unwrap();
            assert_eq!(sample.pid, 10);
            assert_eq!(code.place(&sample.chain), expected, "{chain}");
        };
        check("7f0000001000", Some(Place::Function(0)));
        check("7f0000001100", Some(Place::Function(1)));
        check("ffffffff81000000 ffffffffffffff80 7f0000001101", Some(Place::Function(1))); // it met a page fault
        check("7f0000001190", None);
        check("7f0000001210", Some(Place::Host));
        check("7f0000001250", Some(Place::MemoryCopy));
        check("16e0ba 7f0000001260", Some(Place::MemoryCopy)); // returns behind the builtin's end
        check("16e0ba 5550 ffffffffffffffff", None);
        check("16e0ba 7f0000001100", Some(Place::Host));
        check("ffffffff81000000", None);
    }

    #[test]
    fn what_is_before_and_after_the_guest_is_left_out() {
        let check = |before: &str, after: &str| {
            let mut places: Vec<_> = before.chars().map(|letter| (letter == 'g').then_some(Place::Host)).collect();
            trim(&mut places);
            let left: String = places.iter().map(|place| if place.is_some() { 'g' } else { '.' }).collect();
            assert_eq!(left, after);
        };
        check("..g..gg.", "g..gg");
        check("g", "g");
        check("..", "");
        check("", "");
    }
}
