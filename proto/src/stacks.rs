//! Profiles written as text, for tests.

use crate::{FunctionSpec, LabelSpec, Line, LocationId, Profile, ProfileBuilder};

/// A profile of `samples`/`count` with a line a sample: `main;fib;fib 3`, root first.
///
/// `a>b` is `b` inlined into `a`; `key=text` words after the value are labels. A line of a number alone has no stack.
pub(crate) fn profile(text: &str) -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    add(&mut builder, text);
    builder.finish()
}

/// Adds the samples of `text` to a builder with any number of sample types: `main;fib 3,30`.
pub(crate) fn add(builder: &mut ProfileBuilder, text: &str) {
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let mut words = line.split(' ').collect::<Vec<_>>();
        let is_value = |it: &&str| it.split(',').all(|it| it.parse::<i64>().is_ok());
        let n_stack = words.iter().position(is_value).expect("a value");
        let labels = words.split_off(n_stack + 1);
        let values: Vec<i64> = words.pop().unwrap().split(',').map(|it| it.parse().unwrap()).collect();
        let stack = words.join(" ");
        let frames = stack.split(';').filter(|it| !it.is_empty());
        let locations: Vec<LocationId> = frames.rev().map(|it| location(builder, it)).collect();
        let labels: Vec<LabelSpec<'_>> = (labels.iter().filter_map(|it| it.split_once('=')))
            .map(|(key, value)| LabelSpec::Str { key, value })
            .collect();
        builder.sample(&locations, &values, &labels);
    }
}

fn location(builder: &mut ProfileBuilder, frame: &str) -> LocationId {
    let lines: Vec<Line> = (frame.split('>').rev())
        .map(|name| Line {
            function: builder.function(FunctionSpec { name, ..FunctionSpec::default() }),
            line: 0,
            column: 0,
        })
        .collect();
    builder.location(None, 0, &lines)
}
