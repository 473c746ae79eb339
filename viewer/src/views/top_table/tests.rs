//! The table as the page has it, without a browser.

use super::*;
use crate::protocol::{Ask, Reply, Rows};
use crate::session::Session;
use crate::views::testing::{answer, props, render, session};

fn with_rows(mut session: Session, rows: Rows) -> String {
    let ask = Ask::Rows(session.rows_ask());
    answer(&mut session, ask, Reply::Rows(rows));
    let props = props(session);
    render::<TopTable>(move || props)
}

fn row(name: &str) -> Row {
    let text = |text: &str| text.to_owned();
    Row { flat: text("7ms"), flat_pct: text("70.00%"), cum: text("9ms"), name: text(name), ..Row::default() }
}

#[test]
fn rows_are_those_of_a_grid() {
    let rows = vec![Row { marker: "(inline)".to_owned(), ..row("app::log") }, row("<img src=x onerror=alert(1)>")];
    let html = with_rows(session(&["cpu"], "search=LOG"), Rows { n_rows: 2, rows, ..Rows::default() });
    for part in [
        "role=\"grid\"",
        "aria-rowcount=\"3\"",
        "aria-rowindex=\"3\"",
        "<mark>log</mark>",
        ">7ms<",
        "(inline)",
        "&lt;img",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("<img"), "{html}");
    assert!(!html.contains("every-type"), "one sample type is all there is: {html}");
}

#[test]
fn every_sample_type_has_its_columns() {
    let every = [("1", "2"), ("3", "4")].map(|(flat, cum)| (flat.to_owned(), cum.to_owned())).to_vec();
    let rows = vec![Row { every, kept: Some("33.00%".to_owned()), ..row("main") }];
    let rows = Rows { n_rows: 1, rows, has_kept: true, ..Rows::default() };
    let html = with_rows(session(&["alloc_space", "inuse_space"], "every_type"), rows);
    for part in ["every-type kept", "aria-colspan=\"2\"", ">alloc_space<", ">3<", ">4<", ">33.00%<", ">kept<"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("sum %"), "{html}");
}

#[test]
fn an_empty_table_says_why() {
    let check = |hash: &str, expected: &str| {
        let html = with_rows(session(&["cpu"], hash), Rows::default());
        assert!(html.contains(expected), "{hash}: {html}");
    };
    check("", "Nothing has a value of this sample type.");
    check("search=x", "No function matches.");
    check("focus=x", "The filters leave nothing");
}
