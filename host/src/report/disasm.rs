//! The instructions of functions with weights beside them, laid out as `go tool pprof -disasm` does; as WAT, which
//! pprof cannot.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

use proto::analysis::graph::Sums;
use proto::analysis::{address_weights, base_name};
use proto::units::Scale;
use proto::{LocationId, Mapping, MappingId, Profile};
use regex::Regex;

use super::instructions::{WatLine, print_functions};
use super::list::{columns, write_sum};
use crate::symbols::{FunctionCode, ModuleFile, NoModule, Symbolizer, find_module, read_module};

/// What `wprof disasm` shows.
#[derive(Debug, Clone, PartialEq)]
pub struct DisasmReport {
    /// Functions whose names match this are shown; if it is a number, so is the one that has this address.
    pub pattern: String,
    /// The module, in place of the file that the profile's first mapping names.
    pub module: Option<PathBuf>,
    /// Which of a sample's values.
    pub sample_index: usize,
    /// Show averages: values divided by the first value, a count.
    pub mean: bool,
    /// What percentages are of.
    pub total: i64,
    /// How values are printed; `minimum` lets each choose its unit.
    pub scale: Scale,
}

/// Why there are no instructions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisasmError {
    /// The text is no pattern.
    #[error("parsing argument regexp {pattern}: {problem}")]
    BadPattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No function with weight has such a name.
    #[error("no matches found for regexp {pattern}")]
    NoMatch {
        /// As it was given.
        pattern: String,
    },
    /// The module that was asked for cannot be read.
    #[error(transparent)]
    Module(#[from] NoModule),
    /// The module has something that cannot be printed.
    #[error("{}: {problem}", path.display())]
    Print {
        /// The module.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The report could not be written.
    #[error("write the report")]
    Write(#[from] io::Error),
}

/// Prints the instructions of the functions that match, and returns what a reader should know of the modules that they
/// come from: which were not found, or are other builds. Filter the profile first.
///
/// Weights are by address, which in the profiles of wprof is a module's offset. pprof counts a sample in cum once for
/// each instruction that it passes; so do we, and the sum of a function that calls itself may exceed the total.
///
/// # Errors
///
/// If no function matches, the pattern is none, a module cannot be read or printed, or `out` takes no more.
pub fn disasm(out: &mut dyn Write, profile: &Profile, report: &DisasmReport) -> Result<Vec<String>, DisasmError> {
    let pattern = Pattern::new(&report.pattern)?;
    let mut warnings = Vec::new();
    let mut functions = Vec::new();
    for (idx, id, mapping) in used_mappings(profile) {
        let weights = address_weights(profile, Some(id), report.sample_index, report.mean);
        let module = match open(profile, mapping, report.module.as_ref().filter(|_| idx == 0), &mut warnings)? {
            Some(module) if !weights.is_empty() => module,
            _ => continue,
        };
        functions.extend(functions_of(&module, &pattern, &Weights::new(mapping, &weights))?);
    }
    if functions.is_empty() {
        // What is missing is why nothing matches.
        let problem = if warnings.is_empty() { String::new() } else { format!(" ({})", warnings.join("; ")) };
        return Err(DisasmError::NoMatch { pattern: format!("{}{problem}", report.pattern) });
    }
    functions.sort_by(|a, b| (&a.name, a.start).cmp(&(&b.name, b.start)));
    writeln!(out, "Total: {}", report.scale.amount(report.total))?;
    functions.iter().try_for_each(|it| it.write(out, report))?;
    Ok(warnings)
}

/// Those with samples, and where they stand among all.
fn used_mappings(profile: &Profile) -> Vec<(usize, MappingId, &Mapping)> {
    let mapping = |it: LocationId| profile.location(it).mapping;
    let mut used: Vec<MappingId> =
        profile.samples().flat_map(|it| it.locations.iter().copied()).filter_map(mapping).collect();
    used.sort_unstable();
    used.dedup();
    used.into_iter().map(|id| (id.index(), id, profile.mapping(id))).collect()
}

/// The module of a mapping; `None` if it has none, which is said unless nobody would expect one.
fn open(
    profile: &Profile,
    mapping: &Mapping,
    given: Option<&PathBuf>,
    warnings: &mut Vec<String>,
) -> Result<Option<ModuleFile>, NoModule> {
    let [filename, build_id] = [mapping.filename, mapping.build_id].map(|it| profile.string(it));
    if let Some(path) = given {
        let module = read_module(path)?;
        if !build_id.is_empty() && module.build_id != build_id {
            let found = &module.build_id;
            let path = path.display();
            warnings.push(format!(
                "{path} is another build than the profile's ({found}, not {build_id}): weights may stand beside the \
                 wrong instructions"
            ));
        }
        return Ok(Some(module));
    }
    if filename.is_empty() || filename.starts_with('[') {
        return Ok(None);
    }
    let found = find_module(filename, build_id);
    Ok(found.inspect_err(|error| warnings.push(error.to_string())).ok())
}

/// What functions are shown.
struct Pattern {
    regex: Regex,
    address: Option<u64>,
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, DisasmError> {
        let regex = Regex::new(pattern).map_err(|err| {
            let (pattern, problem) = (pattern.to_owned(), err.to_string());
            DisasmError::BadPattern { pattern, problem }
        })?;
        let address = match pattern.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => pattern.parse().ok(),
        };
        Ok(Self { regex, address })
    }

    fn matches(&self, function: &FunctionCode, weights: &Weights<'_>) -> bool {
        let has_address =
            || self.address.and_then(|it| weights.offset(it)).is_some_and(|it| function.body.contains(&it));
        let names = [&function.name, &function.system_name].into_iter().filter(|it| !it.is_empty());
        names.into_iter().any(|it| self.regex.is_match(it)) || has_address()
    }
}

/// Weights by a module's offset.
struct Weights<'a> {
    mapping: &'a Mapping,
    at: BTreeMap<u32, Sums>,
}

impl<'a> Weights<'a> {
    fn new(mapping: &'a Mapping, addresses: &BTreeMap<u64, Sums>) -> Self {
        let mut weights = Self { mapping, at: BTreeMap::new() };
        let at = addresses.iter().filter_map(|(&address, sums)| Some((weights.offset(address)?, *sums)));
        weights.at = at.collect();
        weights
    }

    /// Where an address lies in the module's file.
    fn offset(&self, address: u64) -> Option<u32> {
        let offset = address.checked_sub(self.mapping.start)?.checked_add(self.mapping.offset)?;
        u32::try_from(offset).ok()
    }
}

/// A function that is shown.
struct Function {
    name: String,
    /// Where its body begins.
    start: u32,
    sum: Sums,
    lines: Vec<Instruction>,
}

struct Instruction {
    wat: WatLine,
    sums: Sums,
    /// The function and line of its source; empty if that is not known.
    source: String,
}

fn functions_of(module: &ModuleFile, pattern: &Pattern, weights: &Weights<'_>) -> Result<Vec<Function>, DisasmError> {
    let symbolizer = Symbolizer::new(&module.bytes, None);
    // By where they begin, as several addresses are in one function.
    let mut wanted: BTreeMap<u32, FunctionCode> = BTreeMap::new();
    let mut end = 0;
    for &offset in weights.at.keys() {
        if offset < end {
            continue;
        }
        let Some(function) = symbolizer.function_at(offset) else { continue };
        end = function.body.end;
        if pattern.matches(&function, weights) {
            wanted.insert(function.body.start, function);
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let bodies: Vec<_> = wanted.values().map(|it| it.body.clone()).collect();
    let texts = print_functions(&module.bytes, &bodies)
        .map_err(|problem| DisasmError::Print { path: module.path.clone(), problem })?;
    let functions = wanted.into_values().zip(texts).map(|(code, lines)| {
        let mut sum = Sums::default();
        weights.at.range(code.body.clone()).for_each(|(_, it)| sum.add(it));
        let lines = annotate(&code, lines, weights, &symbolizer);
        Function { name: code.name, start: code.body.start, sum, lines }
    });
    Ok(functions.collect())
}

/// Gives each line the weights from its offset to that of the next.
fn annotate(
    code: &FunctionCode,
    lines: Vec<WatLine>,
    weights: &Weights<'_>,
    symbolizer: &Symbolizer<'_>,
) -> Vec<Instruction> {
    let starts: Vec<u32> = lines.iter().map(|it| it.offset).chain([code.body.end]).collect();
    let annotated = lines.into_iter().zip(starts.windows(2)).enumerate().map(|(idx, (wat, bounds))| {
        // The first line is the function's head, which stands for what is before all others.
        let start = if idx == 0 { code.body.start } else { bounds[0] };
        let mut sums = Sums::default();
        weights.at.range(start..bounds[1].max(start)).for_each(|(_, it)| sums.add(it));
        // Declarations come from no line.
        let is_instruction = !wat.text.trim_start().starts_with('(');
        let source = if is_instruction { source(symbolizer, wat.offset) } else { String::new() };
        Instruction { wat, sums, source }
    });
    annotated.collect()
}

/// As pprof writes where an instruction comes from.
fn source(symbolizer: &Symbolizer<'_>, offset: u32) -> String {
    match symbolizer.frames(offset).first() {
        Some(frame) if frame.line != 0 => format!("{} {}:{}", frame.name, base_name(&frame.file), frame.line),
        _ => String::new(),
    }
}

impl Function {
    fn write(&self, out: &mut dyn Write, report: &DisasmReport) -> io::Result<()> {
        writeln!(out, "ROUTINE ======================== {}", self.name)?;
        write_sum(out, self.sum.weight(), report.total, &report.scale)?;
        let mut last_source = "";
        let mut line = String::new();
        for Instruction { wat, sums, source } in &self.lines {
            /// Behind instructions shorter than this there is room for their source.
            const SHORT: usize = 40;
            let [flat, cum] = columns(sums.weight(), &report.scale);
            let is_new = source != last_source && !source.is_empty();
            if is_new {
                last_source = source;
            }
            if is_new && SHORT <= wat.text.chars().count() {
                writeln!(out, "{:74};{source}", "")?;
            }
            line.clear();
            // Writing to a String cannot fail.
            let _ = write!(line, "{flat:>10} {cum:>10} {:>10x}: {}", wat.offset, wat.text);
            if is_new && wat.text.chars().count() < SHORT {
                let _ = write!(line, "{:1$};{source}", "", SHORT - wat.text.chars().count());
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
