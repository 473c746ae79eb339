//! The source of functions with weights beside it, as `go tool pprof -list` prints it.

use std::io::{self, Write};

use proto::Profile;
use proto::analysis::listing::{LineWeight, ListedFile, ListingError, ListingOptions, listing};
use proto::units::{Percent, Scale};

use super::source_files::SourceFiles;

/// What `wprof list` shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ListReport {
    /// Functions whose names match this are shown.
    pub pattern: String,
    /// What is summed, and which paths are shown.
    pub listing: ListingOptions,
    /// What percentages are of.
    pub total: i64,
    /// How values are printed. pprof's `minimum` lets each choose its unit here, as no one unit suits all lines.
    pub scale: Scale,
}

/// Why there is no listing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// There is nothing to list.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The report could not be written.
    #[error("write the report")]
    Write(#[from] io::Error),
}

/// Prints the source lines of the functions that match. [`prepare`](proto::analysis::prepare) and filter the profile
/// first. A file that is not found is said in its place.
///
/// # Errors
///
/// If no function matches, the pattern is none, or `out` takes no more. Nothing is printed then.
pub fn list(out: &mut dyn Write, profile: &Profile, report: &ListReport) -> Result<(), ListError> {
    let functions = listing(profile, &report.pattern, &report.listing)?;
    let ListingOptions { source_path, trim_path, .. } = &report.listing;
    let mut sources = SourceFiles::new(source_path, trim_path);
    writeln!(out, "Total: {}", report.scale.amount(report.total))?;
    for function in &functions {
        if function.files.is_empty() {
            writeln!(out, "No source information for {}", function.name)?;
        }
        for file in &function.files {
            writeln!(out, "ROUTINE ======================== {} in {}", function.name, file.path)?;
            write_sum(out, file.sum, report.total, &report.scale)?;
            write_lines(out, file, &mut sources, &report.scale)?;
        }
    }
    Ok(())
}

/// The line below a `ROUTINE`.
pub(super) fn write_sum(out: &mut dyn Write, sum: LineWeight, total: i64, scale: &Scale) -> io::Result<()> {
    let [flat, cum] = [sum.flat, sum.cum].map(|it| scale.amount(it));
    let share = Percent { part: sum.cum, whole: total };
    writeln!(out, "{flat:>10} {cum:>10} (flat, cum) {share} of Total")
}

fn write_lines(out: &mut dyn Write, file: &ListedFile, sources: &mut SourceFiles, scale: &Scale) -> io::Result<()> {
    // Inlined code may be before the begin of the function that it is told to be of: then there is nothing to show.
    // pprof does not open the file then, but says so if it missed it before.
    let source = if file.shown.is_empty() { sources.known(&file.path) } else { Some(sources.get(&file.path)) };
    let source = match source {
        Some(Ok(source)) => source,
        Some(Err(error)) => return writeln!(out, " Error: {error}"),
        None => return Ok(()),
    };
    for (number, line) in source.lines(&file.shown) {
        let weight = file.lines.get(&number).copied().unwrap_or_default();
        let [flat, cum] = columns(weight, scale);
        write!(out, "{flat:>10} {cum:>10} {number:>6}:")?;
        out.write_all(line)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Flat and cum, a dot for nothing.
pub(super) fn columns(weight: LineWeight, scale: &Scale) -> [String; 2] {
    [weight.flat, weight.cum].map(|it| if it == 0 { ".".to_owned() } else { scale.amount(it).to_string() })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proto::analysis::{PrepareOptions, prepare, total};
    use proto::{FunctionSpec, Line, ProfileBuilder};

    use super::*;

    fn report(pattern: &str, listing: ListingOptions) -> ListReport {
        let scale = Scale { from: "count".to_owned(), to: "minimum".to_owned(), divide_by: 1.0 };
        ListReport { pattern: pattern.to_owned(), listing, total: 8, scale }
    }

    fn check(profile: &Profile, pattern: &str, source_path: &str, expected: &str) {
        let report =
            report(pattern, ListingOptions { source_path: source_path.to_owned(), ..ListingOptions::default() });
        let mut out = Vec::new();
        let printed = match list(&mut out, profile, &report) {
            Ok(()) => String::from_utf8_lossy(&out).into_owned(),
            Err(error) => format!("{}error: {error}", String::from_utf8_lossy(&out)),
        };
        assert_eq!(printed, expected, "{pattern}");
    }

    /// What `go tool pprof` printed. The source is taken from it, too.
    #[test]
    fn a_listing_is_pprofs() {
        const GOLDEN: &str = include_str!("../../../tests/profiles/synth/out/list.txt");
        let mut source = vec![String::new(); 28];
        for line in GOLDEN.lines().filter(|it| it.as_bytes().get(28) == Some(&b':')) {
            let number: usize = line[22..28].trim().parse().unwrap();
            line[29..].clone_into(&mut source[number - 1]);
        }
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join("src/main.rs"), source.join("\n") + "\n").unwrap();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/profiles/synth/wasm_cpu.pb.gz");
        let profile = proto::decode(&fs::read(file).unwrap(), &proto::Limits::default()).unwrap();
        let (profile, _) = prepare(profile, &PrepareOptions::default());
        let listing = ListingOptions {
            sample_index: 1,
            source_path: dir.path().join("src").display().to_string(),
            trim_path: "/build/app/src".to_owned(),
            ..ListingOptions::default()
        };
        let scale = Scale { from: "nanoseconds".to_owned(), to: "minimum".to_owned(), divide_by: 1.0 };
        let report = ListReport { total: total(&profile, 1, false), scale, ..report("app::", listing) };
        let mut out = Vec::new();
        list(&mut out, &profile, &report).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), GOLDEN);
    }

    #[test]
    fn sources_are_shown_or_said_to_be_missing() {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        let mut at = |name, filename, line| {
            let function = builder.function(FunctionSpec { name, filename, ..FunctionSpec::default() });
            builder.location(None, 0, &[Line { function, line, column: 0 }])
        };
        let [main, gone, bare] = [at("main", "main.c", 2), at("gone", "gone.c", 1), at("bare", "", 0)];
        let early =
            builder.function(FunctionSpec { name: "early", filename: "gone.c", start_line: 50, system_name: "" });
        let early = builder.location(None, 0, &[Line { function: early, line: 7, column: 0 }]);
        builder.sample(&[main], &[1], &[]);
        builder.sample(&[gone, main], &[2], &[]);
        builder.sample(&[bare], &[5], &[]);
        builder.sample(&[early], &[4], &[]);
        let profile = builder.finish();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("main.c"), b"int main() {\r\n\tf(\"\xff\");\n}").unwrap();
        let dir = dir.path().to_str().unwrap();
        let mut out = Vec::new();
        let report = report("main", ListingOptions { source_path: dir.to_owned(), ..ListingOptions::default() });
        list(&mut out, &profile, &report).unwrap();
        // Bytes that are no text are printed as they are.
        let expected = b"Total: 8\nROUTINE ======================== main in main.c\n         1          3 (flat, cum) 37.50% of Total
         .          .      1:int main() {\n         1          3      2:\tf(\"\xff\");\n         .          .      3:}\n";
        assert_eq!(out, expected);
        let missing = format!(
            "Total: 8\nROUTINE ======================== gone in gone.c\n         2          2 (flat, cum) 25.00% of Total
 Error: could not find file gone.c on path {dir}\n"
        );
        check(&profile, "gone", dir, &missing);
        check(&profile, "bare", dir, "Total: 8\nNo source information for bare\n");
        let nothing =
            "ROUTINE ======================== early in gone.c\n         4          4 (flat, cum) 50.00% of Total\n";
        check(&profile, "early", dir, &format!("Total: 8\n{nothing}"));
        let both = missing.replace("Total: 8\n", &format!("Total: 8\n{nothing}"));
        check(&profile, "early|gone", dir, &both);
        check(&profile, "zzz", dir, "error: no matches found for regexp: zzz");
    }
}
