//! A function's name in a table: its colour, the telling end of its name, and what the search found in it.

use std::rc::Rc;

use proto::analysis::flame::Query;
use yew::prelude::*;

use crate::canvas::swatch;
use crate::label;
use crate::protocol::Look;

/// How names are drawn.
#[derive(Clone, Copy)]
pub(crate) struct NameStyle<'a> {
    pub(crate) dark: bool,
    /// What to mark.
    pub(crate) query: Option<&'a Query>,
}

/// The search's pattern, compiled once.
#[hook]
pub(crate) fn use_query(query: &str) -> Rc<Option<Query>> {
    use_memo(query.to_owned(), |query| Query::new(query))
}

/// Colour, name and marker: what goes into a cell.
pub(crate) fn name(name: &str, look: Look, marker: &str, style: NameStyle<'_>) -> Html {
    html! {
        <>
            { colour(look, style.dark) }
            <span class="full"><bdi dir="ltr">{ letters(name, style.query) }</bdi></span>
            if !marker.is_empty() { <span class="marker">{ " " }{ marker.to_owned() }</span> }
        </>
    }
}

/// The colour that boxes of the function have.
pub(crate) fn colour(look: Look, dark: bool) -> Html {
    html! {
        <svg class="swatch" width="8" height="8" aria-hidden="true">
            <rect width="8" height="8" rx="2" fill={swatch(look, dark)} />
        </svg>
    }
}

/// The name, its beginning less loud than its telling end, the first match marked.
pub(crate) fn letters(name: &str, query: Option<&Query>) -> Html {
    let piece = |piece: Piece<'_>| {
        let text = piece.text.to_owned();
        let text = if piece.is_match {
            html! { <mark>{ text }</mark> }
        } else {
            html! { { text } }
        };
        if piece.is_head {
            html! { <span class="head">{ text }</span> }
        } else {
            text
        }
    };
    html! { { for pieces(name, query).into_iter().map(piece) } }
}

#[derive(Debug, PartialEq)]
struct Piece<'a> {
    text: &'a str,
    is_head: bool,
    is_match: bool,
}

fn pieces<'a>(name: &'a str, query: Option<&Query>) -> Vec<Piece<'a>> {
    let tail = label::tail(name);
    let found = query.and_then(|query| query.find(name)).unwrap_or(0..0);
    let mut ends = [tail, found.start, found.end, name.len()];
    ends.sort_unstable();
    let mut start = 0;
    let mut pieces = Vec::new();
    for end in ends {
        if let Some(text) = name.get(start..end).filter(|text| !text.is_empty()) {
            pieces.push(Piece { text, is_head: end <= tail, is_match: found.start <= start && end <= found.end });
        }
        start = end.max(start);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_marked_wherever_it_is() {
        let check = |name: &str, query: &str, expected: &str| {
            let query = Query::new(query);
            let tell = |piece: &Piece<'_>| {
                let [open, close] = if piece.is_match { ["[", "]"] } else { ["", ""] };
                format!("{open}{}{}{close}", piece.text, if piece.is_head { "~" } else { "" })
            };
            let told: Vec<String> = pieces(name, query.as_ref()).iter().map(tell).collect();
            assert_eq!(told.join(" "), expected, "{name}");
        };
        check("alloc::vec::Vec<T>::push", "", "alloc::vec::~ Vec<T>::push");
        check("alloc::vec::Vec<T>::push", "VEC", "alloc::~ [vec~] ::~ Vec<T>::push");
        check("alloc::vec::Vec<T>::push", "vec::Vec", "alloc::~ [vec::~] [Vec] <T>::push");
        check("main", "m..n", "[main]");
        check("main", "x*", "main");
        check("bår", "å", "b [å] r");
    }
}
