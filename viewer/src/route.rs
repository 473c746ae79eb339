//! What a link holds: everything that says what of a profile is on show, and how. Kept in the address behind `#`.
//!
//! Parameters are named as pprof's options where it has them. What is as usual is left out, so a plain view has a plain
//! address. What cannot be understood is left out too: a link of another version still shows what it can.

use crate::protocol::{Column, Filter, FilterKind, Granularity, Picked, Sort};

/// The state that a link reproduces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) view: View,
    /// The file's name, where several are open.
    pub(crate) file: Option<String>,
    /// The kind of value; the profile's own choice where it is `None`.
    pub(crate) sample_type: Option<String>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) picked: Option<Picked>,
    pub(crate) granularity: Granularity,
    pub(crate) noinlines: bool,
    pub(crate) relative: bool,
    /// The unit of values; empty for those that suit them.
    pub(crate) unit: String,
    pub(crate) query: String,
    pub(crate) sort: Sort,
    /// Small functions are in the table, too.
    pub(crate) all: bool,
    pub(crate) every_type: bool,
    /// The function that is chosen: outlined, or what the view is about.
    pub(crate) function: Option<String>,
    pub(crate) flame: FlameLook,
    /// The chosen node of the tree table, as [`FlameLook::zoom`] has it; empty if there is none.
    pub(crate) node: String,
    /// How many nodes the graph has.
    pub(crate) n_nodes: usize,
    /// The file that the diff starts from.
    pub(crate) base: Option<String>,
    pub(crate) normalize: bool,
}

/// How flame graphs are drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlameLook {
    /// From the leaf, so that rows below are callers.
    pub(crate) inverted: bool,
    /// The root is the bottom row.
    pub(crate) upward: bool,
    /// Siblings by name, not by weight.
    pub(crate) by_name: bool,
    /// The zoomed node, as [`Zoom::Path`](crate::protocol::Zoom::Path) has it; empty at the root.
    pub(crate) zoom: String,
}

/// What is on show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum View {
    /// Top and flame graph side by side.
    #[default]
    Both,
    Top,
    Flame,
    Sandwich,
    Tree,
    Graph,
    Source,
    Tags,
    Diff,
    Summary,
}

impl Default for Route {
    fn default() -> Self {
        Route {
            view: View::default(),
            file: None,
            sample_type: None,
            filters: Vec::new(),
            picked: None,
            granularity: Granularity::default(),
            noinlines: false,
            relative: false,
            unit: String::new(),
            query: String::new(),
            sort: Sort::default(),
            all: false,
            every_type: false,
            function: None,
            flame: FlameLook::default(),
            node: String::new(),
            n_nodes: Route::N_NODES,
            base: None,
            normalize: false,
        }
    }
}

impl View {
    pub(crate) const ALL: [View; 10] = [
        View::Both,
        View::Top,
        View::Flame,
        View::Sandwich,
        View::Tree,
        View::Graph,
        View::Source,
        View::Tags,
        View::Diff,
        View::Summary,
    ];

    /// Its name in links.
    pub(crate) fn name(self) -> &'static str {
        match self {
            View::Both => "both",
            View::Top => "top",
            View::Flame => "flame",
            View::Sandwich => "sandwich",
            View::Tree => "tree",
            View::Graph => "graph",
            View::Source => "source",
            View::Tags => "tags",
            View::Diff => "diff",
            View::Summary => "summary",
        }
    }

    /// Its name in the page.
    pub(crate) fn title(self) -> &'static str {
        match self {
            View::Both => "Top + Flame",
            View::Top => "Top",
            View::Flame => "Flame",
            View::Sandwich => "Sandwich",
            View::Tree => "Tree",
            View::Graph => "Graph",
            View::Source => "Source",
            View::Tags => "Tags",
            View::Diff => "Diff",
            View::Summary => "Summary",
        }
    }

    /// The key that shows it.
    pub(crate) fn key(self) -> char {
        match self {
            View::Both => 'b',
            View::Top => 't',
            View::Flame => 'f',
            View::Sandwich => 'w',
            View::Tree => 'e',
            View::Graph => 'g',
            View::Source => 'o',
            View::Tags => 'l',
            View::Diff => 'd',
            View::Summary => 'i',
        }
    }

    fn from_name(name: &str) -> Option<View> {
        View::ALL.into_iter().find(|view| view.name() == name)
    }
}

impl Route {
    /// pprof's default number of nodes of a drawn graph.
    pub(crate) const N_NODES: usize = 80;

    /// The address behind `#`; empty for what is shown first.
    pub(crate) fn to_hash(&self) -> String {
        let usual = Route::default();
        let mut hash = Hash::default();
        if self.view != usual.view {
            hash.push("view", self.view.name());
        }
        hash.push_some("file", self.file.as_deref());
        hash.push_some("sample_index", self.sample_type.as_deref());
        for Filter { kind, pattern } in &self.filters {
            hash.push(kind.option(), pattern);
        }
        if let Some(Picked { measure, first, last }) = self.picked {
            hash.push("pick", &format!("{measure}:{first}-{last}"));
        }
        if self.granularity != usual.granularity {
            hash.push("granularity", self.granularity.name());
        }
        hash.push_flag("noinlines", self.noinlines);
        hash.push_flag("relative_percentages", self.relative);
        hash.push_text("unit", &self.unit);
        hash.push_text("search", &self.query);
        if self.sort != usual.sort {
            hash.push("sort", sort_name(self.sort));
        }
        hash.push_flag("all", self.all);
        hash.push_flag("every_type", self.every_type);
        hash.push_some("function", self.function.as_deref());
        hash.push_flag("inverted", self.flame.inverted);
        hash.push_flag("upward", self.flame.upward);
        hash.push_flag("by_name", self.flame.by_name);
        hash.push_text("zoom", &self.flame.zoom);
        hash.push_text("node", &self.node);
        if self.n_nodes != usual.n_nodes {
            hash.push("nodecount", &self.n_nodes.to_string());
        }
        hash.push_some("base", self.base.as_deref());
        hash.push_flag("normalize", self.normalize);
        hash.text
    }

    /// The route of an address.
    pub(crate) fn from_hash(hash: &str) -> Route {
        let mut route = Route::default();
        for parameter in hash.trim_start_matches('#').split('&').filter(|it| !it.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            route.set(name, unescaped(value));
        }
        route
    }

    fn set(&mut self, name: &str, value: String) {
        if let Some(kind) = FilterKind::ALL.into_iter().find(|kind| kind.option() == name) {
            self.filters.push(Filter { kind, pattern: value });
            return;
        }
        match name {
            "view" => self.view = View::from_name(&value).unwrap_or_default(),
            "file" => self.file = Some(value),
            "sample_index" => self.sample_type = Some(value),
            "pick" => self.picked = picked(&value),
            "granularity" => {
                let found = Granularity::ALL.into_iter().find(|it| it.name() == value);
                self.granularity = found.unwrap_or_default();
            }
            "noinlines" => self.noinlines = true,
            "relative_percentages" => self.relative = true,
            "unit" => self.unit = value,
            "search" => self.query = value,
            "sort" => self.sort = sort(&value),
            "all" => self.all = true,
            "every_type" => self.every_type = true,
            "function" => self.function = Some(value),
            "inverted" => self.flame.inverted = true,
            "upward" => self.flame.upward = true,
            "by_name" => self.flame.by_name = true,
            "zoom" => self.flame.zoom = value,
            "node" => self.node = value,
            "nodecount" => self.n_nodes = value.parse().unwrap_or(Route::N_NODES),
            "base" => self.base = Some(value),
            "normalize" => self.normalize = true,
            _ => {}
        }
    }
}

#[derive(Default)]
struct Hash {
    text: String,
}

impl Hash {
    fn push(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(name);
        if !value.is_empty() {
            self.text.push('=');
            escape(value, &mut self.text);
        }
    }

    fn push_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// An empty text is as usual.
    fn push_text(&mut self, name: &str, text: &str) {
        self.push_some(name, Some(text).filter(|text| !text.is_empty()));
    }

    fn push_flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.push(name, "");
        }
    }
}

/// Leaves what an address may hold as it is (RFC 3986, fragment), but for what separates parameters.
fn escape(text: &str, to: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@/?".contains(&byte) {
            to.push(char::from(byte));
        } else {
            let digit = |at: u8| DIGITS.get(usize::from(at)).map_or('0', |&digit| char::from(digit));
            to.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// A `%` that is followed by no digits stands for itself.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| byte == b'%');
        let decoded = digits.and_then(|digits| {
            u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|it| !it.starts_with('+'))?, 16).ok()
        });
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `measure:first-last`.
fn picked(text: &str) -> Option<Picked> {
    let (measure, range) = text.split_once(':')?;
    let (first, last) = range.split_once('-')?;
    Some(Picked { measure: measure.parse().ok()?, first: first.parse().ok()?, last: last.parse().ok()? })
}

const SORTS: [(&str, Column, bool); 6] = [
    ("flat", Column::Flat, true),
    ("flat-up", Column::Flat, false),
    ("cum", Column::Cum, true),
    ("cum-up", Column::Cum, false),
    ("name", Column::Name, false),
    ("name-down", Column::Name, true),
];

fn sort_name(sort: Sort) -> &'static str {
    let found = SORTS.iter().find(|it| (it.1, it.2) == (sort.column, sort.descending));
    found.map_or("flat", |it| it.0)
}

fn sort(name: &str) -> Sort {
    let found = SORTS.iter().find(|it| it.0 == name);
    found.map_or_else(Sort::default, |&(_, column, descending)| Sort { column, descending })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Route {
        Route {
            view: View::Sandwich,
            file: Some("a b.prof".to_owned()),
            sample_type: Some("alloc_space".to_owned()),
            filters: vec![
                Filter::exactly(FilterKind::Focus, "<Vec<T> as Iterator>::next"),
                Filter { kind: FilterKind::TagFocus, pattern: "bytes=8b:63b&x".to_owned() },
                Filter { kind: FilterKind::Focus, pattern: "fø%20ø#".to_owned() },
            ],
            picked: Some(Picked { measure: 1, first: 2, last: 3 }),
            granularity: Granularity::Lines,
            noinlines: true,
            relative: true,
            unit: "ms".to_owned(),
            query: "100%".to_owned(),
            sort: Sort { column: Column::Cum, descending: false },
            all: true,
            every_type: true,
            function: Some("main.(*T).run+1".to_owned()),
            flame: FlameLook { inverted: true, upward: true, by_name: true, zoom: "0x3.1.0".to_owned() },
            node: "0x2.1".to_owned(),
            n_nodes: 40,
            base: Some("old.prof".to_owned()),
            normalize: true,
        }
    }

    #[test]
    fn a_link_reproduces_the_state() {
        for route in [full(), Route::default()] {
            assert_eq!(Route::from_hash(&route.to_hash()), route, "{}", route.to_hash());
        }
        for view in View::ALL {
            let route = Route { view, ..Route::default() };
            assert_eq!(Route::from_hash(&format!("#{}", route.to_hash())), route);
        }
    }

    #[test]
    fn plain_views_have_plain_addresses() {
        assert_eq!(Route::default().to_hash(), "");
        let route = Route { view: View::Flame, query: "app::fib".to_owned(), ..Route::default() };
        assert_eq!(route.to_hash(), "view=flame&search=app::fib");
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let check = |hash: &str, expected: Route| assert_eq!(Route::from_hash(hash), expected, "{hash}");
        check("#view=flames&zap=1&&=&nodecount=x&pick=1", Route::default());
        check("search=%zz%4", Route { query: "%zz%4".to_owned(), ..Route::default() });
        check("search=%ff", Route { query: "\u{fffd}".to_owned(), ..Route::default() });
    }

    #[test]
    fn no_key_shows_two_views() {
        let mut keys: Vec<char> = View::ALL.iter().map(|view| view.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), View::ALL.len());
    }
}
