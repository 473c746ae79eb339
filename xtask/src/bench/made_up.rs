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

/// Of the program of [`MadeUp`]'s profiles.
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
        let program = Program::new(&mut builder, N_FUNCTIONS);
        let endpoints: Vec<String> = (0..24).map(|it| format!("/api/v1/endpoint/{it}")).collect();
        let mut random = Random::of_seed(self.seed);
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
pub(super) struct Program {
    /// The locations of call sites, function by function, and what they call.
    sites: Vec<[(LocationId, usize); N_SITES]>,
    outer: Vec<LocationId>,
    hot: Vec<LocationId>,
}

impl Program {
    pub(super) fn new(builder: &mut ProfileBuilder, n_functions: usize) -> Self {
        let spec = MappingSpec { limit: 0x100_0000, filename: "/srv/made-up.wasm", ..MappingSpec::default() };
        let mapping = builder.mapping(spec);
        let functions: Vec<FunctionId> = (0..n_functions).map(|idx| function(builder, idx)).collect();
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
            let callee = (idx + 1 + random.skewed(n_functions / 10)) % n_functions;
            let inlined = (callee + 17) % n_functions;
            let is_inline = random.below(5) == 0;
            let lines = [functions[inlined], functions[idx]];
            (location(&lines[usize::from(!is_inline)..]), callee)
        };
        let sites = (0..n_functions).map(|idx| std::array::from_fn(|_| site(idx))).collect();
        let outer = (0..N_OUTER).map(|idx| location(&functions[idx..=idx])).collect();
        let hot = (0..N_HOT).map(|idx| location(&functions[n_functions - 1 - idx..][..1])).collect();
        Program { sites, outer, hot }
    }

    /// A stack, leaf first. Most calls of a function are from the first of its sites.
    fn walk(&self, depth: usize, random: &mut Random, stack: &mut Vec<LocationId>) {
        let depth = about(depth, random);
        let mostly_first = |random: &mut Random| match random.below(16) {
            0..13 => 0,
            13..15 => 1,
            _ => 2,
        };
        stack.clear();
        self.follow(self.start(stack), depth, || mostly_first(random), stack);
        self.finish(random, stack);
    }

    /// A stack, leaf first, that is `path`'s but for up to `n_own` of its last frames. Any call of a function is as
    /// likely as the others.
    pub(super) fn fork(&self, depth: usize, path: u64, n_own: usize, random: &mut Random, stack: &mut Vec<LocationId>) {
        let mut of_path = Random::of_seed(path);
        let depth = about(depth, &mut of_path);
        let shared = depth.saturating_sub(1 + random.below(n_own));
        stack.clear();
        let at = self.follow(self.start(stack), shared, || of_path.below(N_SITES), stack);
        self.follow(at, depth, || random.below(N_SITES), stack);
        self.finish(random, stack);
    }

    /// Where every stack begins, and the function that is called from there.
    fn start(&self, stack: &mut Vec<LocationId>) -> usize {
        stack.extend(&self.outer);
        0
    }

    /// Goes on from function `at` until the stack is as deep as that; the answer is the function that is called then.
    fn follow(
        &self,
        mut at: usize,
        depth: usize,
        mut site: impl FnMut() -> usize,
        stack: &mut Vec<LocationId>,
    ) -> usize {
        while stack.len() < depth {
            let (location, callee) = self.sites[at][site()];
            stack.push(location);
            at = callee;
        }
        at
    }

    /// A third of the stacks end in one of the hot leaves.
    fn finish(&self, random: &mut Random, stack: &mut [LocationId]) {
        if random.below(3) == 0
            && let Some(leaf) = stack.last_mut()
        {
            *leaf = self.hot[random.skewed(N_HOT)];
        }
        stack.reverse();
    }
}

/// Up to a third less or more.
fn about(depth: usize, random: &mut Random) -> usize {
    depth - depth / 3 + random.below(2 * (depth / 3) + 1)
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
pub(super) struct Random(u64);

impl Random {
    pub(super) fn of_seed(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// Small numbers more often than great ones.
    pub(super) fn skewed(&mut self, n: usize) -> usize {
        self.below(n) * self.below(n) / n
    }
}
