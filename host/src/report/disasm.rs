//! The instructions of functions with weights beside them, laid out as `go tool pprof -disasm` does; as WAT, which
//! pprof cannot.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use proto::analysis::graph::Sums;
use proto::analysis::{address_weights, base_name};
use proto::units::Scale;
use proto::{LocationId, Mapping, MappingId, Profile};
use regex::Regex;
use symbols::{FunctionCode, Instruction, Listing, Symbolizer, file_offset, weights_in_file};

use super::list::{columns, write_sum};
use crate::locate::{ModuleFile, NoModule, find_module, read_module};

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
        let weights = Weights { mapping, at: weights_in_file(mapping, &weights) };
        functions.extend(functions_of(&module, &pattern, &weights)?);
    }
    if functions.is_empty() {
        // What is missing is why nothing matches.
        let problem = if warnings.is_empty() { String::new() } else { format!(" ({})", warnings.join("; ")) };
        return Err(DisasmError::NoMatch { pattern: format!("{}{problem}", report.pattern) });
    }
    functions.sort_by(|a, b| a.place().cmp(&b.place()));
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
        let has_address = || {
            self.address.and_then(|it| file_offset(weights.mapping, it)).is_some_and(|it| function.body.contains(&it))
        };
        let names = [&function.name, &function.system_name].into_iter().filter(|it| !it.is_empty());
        names.into_iter().any(|it| self.regex.is_match(it)) || has_address()
    }
}

/// Weights by a module's offset.
struct Weights<'a> {
    mapping: &'a Mapping,
    at: BTreeMap<u32, Sums>,
}

/// A function that is shown.
struct Function {
    listing: Listing,
    sum: Sums,
    /// Of each line.
    lines: Vec<Sums>,
}

fn functions_of(module: &ModuleFile, pattern: &Pattern, weights: &Weights<'_>) -> Result<Vec<Function>, DisasmError> {
    let symbolizer = Symbolizer::new(&module.bytes, None);
    let mut wanted = Vec::new();
    let mut end = 0;
    // Several addresses are in one function.
    for &offset in weights.at.keys() {
        if offset < end {
            continue;
        }
        let Some(function) = symbolizer.function_at(offset) else { continue };
        end = function.body.end;
        if pattern.matches(&function, weights) {
            wanted.push(function.body.start);
        }
    }
    let listings =
        symbolizer.listings(&wanted).map_err(|problem| DisasmError::Print { path: module.path.clone(), problem })?;
    let functions = listings.into_iter().map(|listing| {
        let (sum, lines) = listing.weights(&weights.at);
        Function { listing, sum, lines }
    });
    Ok(functions.collect())
}

/// As pprof writes where an instruction comes from; empty if that is not known.
fn source(instruction: &Instruction) -> String {
    let source = instruction.source.as_ref();
    source.map_or_else(String::new, |it| format!("{} {}:{}", it.name, base_name(&it.file), it.line))
}

impl Function {
    /// By name, then by where its body begins.
    fn place(&self) -> (&str, u32) {
        (&self.listing.function.name, self.listing.function.body.start)
    }

    fn write(&self, out: &mut dyn Write, report: &DisasmReport) -> io::Result<()> {
        writeln!(out, "ROUTINE ======================== {}", self.listing.function.name)?;
        write_sum(out, self.sum.weight(), report.total, &report.scale)?;
        let mut last_source = String::new();
        for (instruction, sums) in self.listing.instructions.iter().zip(&self.lines) {
            /// Behind instructions shorter than this there is room for their source.
            const SHORT: usize = 40;
            let Instruction { offset, depth, text, .. } = instruction;
            let indent = 2 * depth;
            let len = indent + text.chars().count();
            let [flat, cum] = columns(sums.weight(), &report.scale);
            let source = source(instruction);
            let is_new = source != last_source && !source.is_empty();
            if is_new && SHORT <= len {
                writeln!(out, "{:74};{source}", "")?;
            }
            write!(out, "{flat:>10} {cum:>10} {offset:>10x}: {:indent$}{text}", "")?;
            if is_new && len < SHORT {
                write!(out, "{:1$};{source}", "", SHORT - len)?;
            }
            writeln!(out)?;
            if is_new {
                last_source = source;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
