//! The demo's guest: renders a year of Rust release notes from Markdown to HTML (crate pulldown-cmark), finds
//! names and versions in them (crate regex), and counts their words. `wordbook [ROUNDS]`, about 3 s at the default.

use std::collections::HashMap;
use std::fmt::Write;

use pulldown_cmark::{Event, Options, Parser, Tag, html};
use regex::Regex;

const TEXT: &str = include_str!("../../text/rust-releases.md");
const DEFAULT_ROUNDS: usize = 650;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(DEFAULT_ROUNDS);
    let mut book = Book::default();
    for _ in 0..rounds {
        book.add_page(TEXT);
    }
    print!("{}", book.summary(10));
}

/// What has been read so far.
#[derive(Default)]
struct Book {
    html_bytes: usize,
    n_links: usize,
    n_versions: usize,
    words: HashMap<String, usize>,
}

impl Book {
    fn add_page(&mut self, markdown: &str) {
        let page = render(markdown);
        self.html_bytes += page.len();
        self.n_links += count_links(markdown);
        self.n_versions += count_versions(&page);
        for word in plain_words(&page) {
            *self.words.entry(word).or_default() += 1;
        }
    }

    fn summary(&self, n_words: usize) -> String {
        let mut text = format!(
            "{} bytes of HTML, {} links, {} versions, {} different words\n",
            self.html_bytes,
            self.n_links,
            self.n_versions,
            self.words.len(),
        );
        for (word, count) in most_frequent(&self.words).into_iter().take(n_words) {
            let _ = writeln!(text, "{count:>8} {word}");
        }
        text
    }
}

#[inline(never)]
fn render(markdown: &str) -> String {
    let mut page = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut page, Parser::new_ext(markdown, Options::all()));
    page
}

#[inline(never)]
fn count_links(markdown: &str) -> usize {
    Parser::new(markdown).filter(|event| matches!(event, Event::Start(Tag::Link { .. }))).count()
}

#[inline(never)]
fn count_versions(page: &str) -> usize {
    let version = Regex::new(r"\b\d+\.\d+(\.\d+)?(-(alpha|beta)(\.\d+)?)?\b").expect("the pattern is a valid one");
    version.find_iter(page).count()
}

/// The words between the tags, in lower case.
#[inline(never)]
fn plain_words(page: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut in_tag = false;
    for piece in page.split_inclusive(['<', '>']) {
        if !in_tag {
            let text = piece.trim_end_matches('<');
            words.extend(
                text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_lowercase),
            );
        }
        in_tag = piece.ends_with('<');
    }
    words
}

#[inline(never)]
fn most_frequent(words: &HashMap<String, usize>) -> Vec<(&str, usize)> {
    let mut sorted: Vec<_> = words.iter().map(|(word, &count)| (word.as_str(), count)).collect();
    sorted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    sorted
}
