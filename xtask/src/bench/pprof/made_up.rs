//! Made-up profiles, the same each time: like those of a big program, of any number of samples.

use proto::{FunctionId, FunctionSpec, LabelSpec, Line, LocationId, MappingSpec, Profile, ProfileBuilder};

/// What to make up.
#[derive(Debug, Clone, Copy)]
pub(super) struct MadeUp {
    /// All different: with another stack, or with other labels.
    pub(super) n_samples: usize,
    /// The mean; stacks are up to a third shorter and longer.
    pub(super) depth: usize,
    /// Profiles of different seeds are of the same program.
    pub(super) seed: u64,
}

const N_FUNCTIONS: usize = 6_000;
/// Call sites in each.
const N_SITES: usize = 3;
/// Where every stack begins.
const N_OUTER: usize = 5;
/// Leaves that are called from everywhere: allocators, copies, hashes.
const N_HOT: usize = 64;

impl MadeUp {
    pub(super) fn profile(self) -> Profile {
        let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        builder.period("cpu", "nanoseconds", 10_000_000);
        builder.time_nanos(1_700_000_000_000_000_000 + self.seed.cast_signed());
        builder.duration_nanos(30_000_000_000);
        let program = Program::new(&mut builder);
        let endpoints: Vec<String> = (0..24).map(|it| format!("/api/v1/endpoint/{it}")).collect();
        let mut random = Random(self.seed.wrapping_mul(2).wrapping_add(1));
        let mut stack = Vec::new();
        while builder.n_samples() < self.n_samples {
            program.walk(self.depth, &mut random, &mut stack);
            let weight = 1 + random.below(4) as i64;
            let values = [weight, weight * 10_000_000];
            let endpoint = LabelSpec::Str { key: "endpoint", value: &endpoints[random.skewed(endpoints.len())] };
            let size = LabelSpec::Num { key: "bytes", num: 16 << random.below(8), unit: "bytes" };
            // Few samples of a profile have labels, unless all have.
            match random.below(16) {
                0 => builder.sample(&stack, &values, &[endpoint, size]),
                1 | 2 => builder.sample(&stack, &values, &[endpoint]),
                _ => builder.sample(&stack, &values, &[]),
            }
        }
        builder.finish()
    }
}

/// A made-up program: who calls whom, and from where.
struct Program {
    /// The locations of call sites, function by function, and what they call.
    sites: Vec<[(LocationId, usize); N_SITES]>,
    outer: Vec<LocationId>,
    hot: Vec<LocationId>,
}

impl Program {
    fn new(builder: &mut ProfileBuilder) -> Self {
        let spec = MappingSpec { limit: 0x100_0000, filename: "/srv/made-up.wasm", ..MappingSpec::default() };
        let mapping = builder.mapping(spec);
        let functions: Vec<FunctionId> = (0..N_FUNCTIONS).map(|idx| function(builder, idx)).collect();
        let mut random = Random(7);
        let mut address = 0x1000_u64;
        let mut location = |functions: &[FunctionId]| {
            address += 16;
            let line = |&function| Line { function, line: address.cast_signed() / 16 % 500, column: 0 };
            let lines: Vec<Line> = functions.iter().map(line).collect();
            builder.location(Some(mapping), address, &lines)
        };
        let mut site = |idx: usize| {
            // Callees come a little later, so that paths go through many functions before they come round again.
            let callee = (idx + 1 + random.skewed(N_FUNCTIONS / 10)) % N_FUNCTIONS;
            let inlined = (callee + 17) % N_FUNCTIONS;
            let is_inline = random.below(5) == 0;
            let lines = [functions[inlined], functions[idx]];
            (location(&lines[usize::from(!is_inline)..]), callee)
        };
        let sites = (0..N_FUNCTIONS).map(|idx| std::array::from_fn(|_| site(idx))).collect();
        let outer = (0..N_OUTER).map(|idx| location(&functions[idx..=idx])).collect();
        let hot = (0..N_HOT).map(|idx| location(&functions[N_FUNCTIONS - 1 - idx..][..1])).collect();
        Program { sites, outer, hot }
    }

    /// A stack, leaf first. Most calls of a function are from the first of its sites.
    fn walk(&self, depth: usize, random: &mut Random, stack: &mut Vec<LocationId>) {
        stack.clear();
        stack.extend(&self.outer);
        let depth = depth - depth / 3 + random.below(2 * (depth / 3) + 1);
        let mut at = 0;
        while stack.len() < depth {
            let site = match random.below(16) {
                0..13 => 0,
                13..15 => 1,
                _ => 2,
            };
            let (location, callee) = self.sites[at][site];
            stack.push(location);
            at = callee;
        }
        if random.below(3) == 0
            && let Some(leaf) = stack.last_mut()
        {
            *leaf = self.hot[random.skewed(N_HOT)];
        }
        stack.reverse();
    }
}

fn function(builder: &mut ProfileBuilder, idx: usize) -> FunctionId {
    let module = idx / 40;
    let name = format!("made_up::module_{module}::Thing<T>::function_{idx}");
    let system_name = format!("_ZN7made_up9module_{module}5Thing12function_{idx}17h0123456789abcdefE");
    let filename = format!("/build/made-up/src/module_{module}.rs");
    let start_line = 1 + idx as i64 % 40 * 25;
    builder.function(FunctionSpec { name: &name, system_name: &system_name, filename: &filename, start_line })
}

/// A linear congruential generator: Knuth's, of which the upper bits are good.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// Small numbers more often than great ones.
    fn skewed(&mut self, n: usize) -> usize {
        self.below(n) * self.below(n) / n
    }
}
