//! Pictures of the call graph, which Graphviz's `dot` draws.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Scalable Vector Graphics, for a browser.
    Svg,
    /// A bitmap.
    Png,
}

impl Format {
    /// As `dot` is told it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Svg => "svg",
            Format::Png => "png",
        }
    }
}

/// Draws a graph that is given in the DOT language.
///
/// # Errors
///
/// If Graphviz is not installed (the message says what to do), or refuses the graph.
pub fn render(dot: &str, format: Format) -> io::Result<Vec<u8>> {
    render_with("dot", dot, format)
}

fn render_with(program: &str, dot: &str, format: Format) -> io::Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.arg(format!("-T{}", format.name())).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|err| not_installed(program, &err))?;
    let stdin = child.stdin.take();
    // It may write before it has read all, so both are done at once.
    let output = thread::scope(|scope| {
        scope.spawn(|| stdin.map(|mut it| it.write_all(dot.as_bytes())));
        child.wait_with_output()
    })?;
    // Whether it took the whole graph shows in how it ended.
    if !output.status.success() || output.stdout.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        let error = format!("{program} of Graphviz drew nothing ({}): {}", output.status, said.trim());
        return Err(io::Error::other(error));
    }
    Ok(output.stdout)
}

fn not_installed(program: &str, error: &io::Error) -> io::Error {
    let remedy = "install Graphviz (`apt install graphviz`, `brew install graphviz`), or take `wprof dot` and draw it \
                  elsewhere";
    io::Error::new(error.kind(), format!("failed to execute {program}. Is Graphviz installed? {error}: {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_is_drawn_where_graphviz_is_found() {
        match render("digraph { fib -> fib }", Format::Svg) {
            Ok(svg) => {
                let svg = String::from_utf8(svg).unwrap();
                assert!(svg.contains("<svg") && svg.contains("fib"), "{svg}");
                let png = render("digraph { fib -> fib }", Format::Png).unwrap();
                assert!(png.starts_with(b"\x89PNG"));
                let refused = render("this is no graph", Format::Svg).unwrap_err().to_string();
                assert!(refused.contains("syntax error"), "{refused}");
                // More than the pipes hold, both ways.
                let edges: String = (0..3000).map(|it| format!("a{it}; ")).collect();
                assert!(100_000 < render(&format!("digraph {{ {edges} }}"), Format::Svg).unwrap().len());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => eprintln!("skipped: {error}"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn without_graphviz_the_error_says_what_to_install() {
        let error = render_with("no-such-dot", "digraph {}", Format::Svg).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let text = error.to_string();
        assert!(text.starts_with("failed to execute no-such-dot. Is Graphviz installed?"), "{text}");
        assert!(text.contains("apt install graphviz"), "{text}");
    }

    #[test]
    fn a_program_that_draws_nothing_is_an_error() {
        let error = render_with("true", "digraph {}", Format::Png).unwrap_err().to_string();
        assert!(error.starts_with("true of Graphviz drew nothing"), "{error}");
    }
}
