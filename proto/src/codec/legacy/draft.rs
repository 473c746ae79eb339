//! What all readers of old formats end in: a [`Profile`] of bare addresses, and of a memory map or a table of names.

use std::collections::HashMap;

use super::frames;
use super::lines::{Lines, is_map_title};
use super::map_text;
use super::mappings::{Mappings, Region};
use super::stacks::{Stacks, row_number};
use crate::codec::error::{Error, ErrorKind};
use crate::profile::{
    Function, FunctionId, Label, LabelValue, Line, Location, LocationId, Mapping, MappingId, Profile, ProfileBuilder,
    StringId,
};

/// A profile in the making.
#[derive(Debug)]
pub(super) struct Draft {
    profile: ProfileBuilder,
    n_types: usize,
    pub(super) stacks: Stacks<u64>,
    values: Vec<i64>,
    /// The label `bytes` of the samples from the first on.
    block_sizes: Vec<i64>,
}

/// Whether the first two frames of a stack may be the same instruction: as the signal found it, and as the unwinder did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    Once,
    MaybeTwice,
}

/// What a text says of its addresses.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Name and file.
    pub(super) functions: Vec<(String, String)>,
    /// An address's function, by its place in `functions`, and line.
    pub(super) of_address: HashMap<u64, (usize, i64)>,
}

impl Draft {
    pub(super) fn new(sample_types: &[(&str, &str)]) -> Self {
        let mut profile = ProfileBuilder::new(sample_types);
        let (drop, keep) = frames::uninteresting(sample_types);
        profile.frame_patterns(&drop, &keep);
        let n_types = sample_types.len();
        Draft { profile, n_types, stacks: Stacks::new(), values: Vec::new(), block_sizes: Vec::new() }
    }

    /// For what is said once.
    pub(super) fn header(&mut self) -> &mut ProfileBuilder {
        &mut self.profile
    }

    /// Adds a sample, with a value for each sample type.
    pub(super) fn push(&mut self, stack: impl IntoIterator<Item = u64>, values: &[i64]) {
        self.stacks.push(stack);
        self.values.extend_from_slice(values);
    }

    /// Adds a sample of blocks of `size` bytes each; then all samples must be such.
    pub(super) fn push_blocks(&mut self, stack: impl IntoIterator<Item = u64>, values: &[i64], size: i64) {
        self.push(stack, values);
        self.block_sizes.push(size);
    }

    /// The last value of the last sample.
    pub(super) fn last_value(&mut self) -> Option<&mut i64> {
        self.values.last_mut()
    }

    /// The profile, with the memory map whose title is the current line or one further on, if there is any.
    pub(super) fn finish(self, lines: &mut Lines<'_>, leaf: Leaf) -> Result<Profile, Error> {
        while !is_map_title(lines.line()) && lines.advance() {}
        self.finish_with(map_text::read(lines), leaf)
    }

    /// The profile, with `map` as its memory map.
    pub(super) fn finish_with(mut self, map: Vec<Region>, leaf: Leaf) -> Result<Profile, Error> {
        let (mut stacks, addresses) = self.stacks.number()?;
        let mut mappings = Mappings::new(map);
        for &address in &addresses {
            self.add_location(mappings.find(address), address, None)?;
        }
        self.add_mappings(&mappings.regions)?;
        if leaf == Leaf::MaybeTwice {
            let address = |it: LocationId| addresses.get(it.index()).copied().unwrap_or_default();
            stacks.remove_callers(|leaf, caller| address(leaf) == address(caller).wrapping_add(1));
        }
        self.add_samples(&stacks)
    }

    /// The profile, where addresses were but keys to `names`, and are not kept.
    pub(super) fn finish_named(mut self, names: &Names) -> Result<Profile, Error> {
        let (stacks, addresses) = self.stacks.number()?;
        let mut mappings = Mappings::default();
        let mut functions = HashMap::new();
        for address in &addresses {
            let Some(&(function, line)) = names.of_address.get(address) else {
                self.add_location(mappings.find(*address), 0, None)?;
                continue;
            };
            let id = match functions.get(&function) {
                Some(&id) => id,
                None => self.add_function(names.functions.get(function))?,
            };
            functions.insert(function, id);
            self.add_location(None, 0, Some(Line { function: id, line, column: 0 }))?;
        }
        self.add_mappings(&mappings.regions)?;
        self.add_samples(&stacks)
    }

    fn text(&mut self, text: &str) -> Result<StringId, Error> {
        let too_many = || ErrorKind::TooMany { table: "string" }.at_no_offset();
        self.profile.profile().strings.try_intern(text).ok_or_else(too_many)
    }

    fn add_mappings(&mut self, regions: &[Region]) -> Result<(), Error> {
        for region in regions {
            let mapping = Mapping {
                start: region.start,
                limit: region.limit,
                offset: region.offset,
                filename: self.text(&region.file)?,
                build_id: self.text(&region.build_id)?,
                has_functions: false,
                has_filenames: false,
                has_line_numbers: false,
                has_inline_frames: false,
            };
            self.profile.profile().mappings.push(mapping);
        }
        Ok(())
    }

    fn add_function(&mut self, function: Option<&(String, String)>) -> Result<FunctionId, Error> {
        let (name, file) = function.map_or(("", ""), |(name, file)| (name, file));
        let [name, filename] = [self.text(name)?, self.text(file)?];
        let functions = &mut self.profile.profile().functions;
        let id = FunctionId(row_number(functions.len(), "function")?);
        functions.push(Function { name, system_name: name, filename, start_line: 0 });
        Ok(id)
    }

    fn add_location(&mut self, mapping: Option<usize>, address: u64, line: Option<Line>) -> Result<(), Error> {
        let mapping = mapping.map(|it| row_number(it, "mapping").map(MappingId)).transpose()?;
        let profile = self.profile.profile();
        let lines_start = row_number(profile.lines.len(), "line")?;
        profile.lines.extend(line);
        let lines_end = row_number(profile.lines.len(), "line")?;
        profile.locations.push(Location { mapping, address, is_folded: false, lines_start, lines_end });
        Ok(())
    }

    /// Samples stay as many as the text has: their order and number are what `raw` shows.
    fn add_samples(mut self, stacks: &Stacks<LocationId>) -> Result<Profile, Error> {
        if self.n_types == 0 && stacks.len() != 0 {
            return Err(ErrorKind::NoSampleTypes.at_no_offset());
        }
        let key = if self.block_sizes.is_empty() { StringId::default() } else { self.text("bytes")? };
        let mut sizes = self.block_sizes.iter();
        let samples = &mut self.profile.profile().samples;
        for (stack, values) in stacks.iter().zip(self.values.chunks(self.n_types.max(1))) {
            // A size of 0 is a label as well, which `raw` shows, though a message cannot hold it.
            let value = sizes.next().map(|&num| LabelValue::Num { num, unit: StringId::default() });
            let label = value.map(|value| Label { key, value });
            samples.push(stack, values, label.as_slice());
        }
        Ok(self.profile.finish())
    }
}
