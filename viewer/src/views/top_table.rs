//! The top table: pprof's columns over a fixed-height virtual list, so that 100,000 rows cost what is in view.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::*;

use crate::canvas::swatch;
use crate::label;
use crate::page::{Viewport, set_style, use_viewport};
use crate::protocol::{Column, Row, Rows, Sort};
use crate::state::Action;

/// As in the style sheet.
const ROW_HEIGHT: f64 = 20.0;
/// Rows drawn beyond either edge, for a scroll to run into.
const SPARE: usize = 10;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct TopTableProps {
    pub(crate) rows: Option<Rc<Rows>>,
    pub(crate) sort: Sort,
    pub(crate) query: AttrValue,
    pub(crate) sample_index: usize,
    pub(crate) all: bool,
    pub(crate) cursor: Option<usize>,
    pub(crate) function: Option<u32>,
    pub(crate) dark: bool,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn TopTable(props: &TopTableProps) -> Html {
    let (scroller, space, body) = (use_node_ref(), use_node_ref(), use_node_ref());
    let (viewport, onscroll) = use_viewport(&scroller);
    let n_rows = props.rows.as_ref().map_or(0, |rows| rows.n_rows);
    let (first, past) = shown(viewport, n_rows);

    use_effect_with((first, past), {
        let (body, dispatch) = (body.clone(), props.dispatch.clone());
        move |&(first, past)| {
            set_style(&body, "transform", &format!("translateY({}px)", pixels(first)));
            dispatch.emit(Action::TableWindow { first, len: past - first });
        }
    });
    use_effect_with(n_rows, {
        let space = space.clone();
        move |&n_rows| set_style(&space, "height", &format!("{}px", pixels(n_rows)))
    });
    use_effect_with((props.sort, props.query.clone(), props.sample_index, props.all), {
        let scroller = scroller.clone();
        move |_| scroll_to(&scroller, 0.0)
    });
    use_effect_with(props.cursor, {
        let scroller = scroller.clone();
        move |&cursor| keep_in_view(&scroller, viewport, cursor)
    });

    let found = props.rows.as_deref();
    let row_at = |at: usize| found.and_then(|rows| rows.rows.get(at.checked_sub(rows.first)?));
    let active = props.cursor.filter(|row| (first..past).contains(row)).map(|row| format!("row-{row}"));
    html! {
        <section class="pane table-pane" aria-label="Functions">
            <div ref={scroller} class="table-scroller" tabindex="0" role="grid" aria-label="Functions by value"
                aria-rowcount={(n_rows + 1).to_string()} aria-activedescendant={active}
                {onscroll} data-testid="top-table">
                { header(props) }
                { for found.filter(|rows| rows.n_rows == 0).map(|_| nothing(props)) }
                <div ref={space} class="table-space" role="presentation">
                    <div ref={body} class="table-body" role="rowgroup">
                        { for (first..past).map(|at| table_row(props, at, row_at(at))) }
                    </div>
                </div>
            </div>
            { footer(props) }
        </section>
    }
}

/// In place of rows. A heap profile of a program that frees all it has begins so, as `inuse_space` is shown first.
fn nothing(props: &TopTableProps) -> Html {
    let text = if props.query.is_empty() {
        "Nothing has a value of this sample type. There are others in the list above."
    } else {
        "No function matches."
    };
    html! { <p class="table-empty" role="note">{ text }</p> }
}

/// The rows to draw: those in view and a few more.
fn shown(viewport: Viewport, n_rows: usize) -> (usize, usize) {
    let at = |y: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, and 0 is the first row"
        )]
        let row = (y / ROW_HEIGHT) as usize;
        row
    };
    let first = at(viewport.scroll_top).saturating_sub(SPARE);
    let past = at(viewport.scroll_top + viewport.height) + 1 + SPARE;
    (first.min(n_rows), past.min(n_rows))
}

fn pixels(n_rows: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let pixels = n_rows as f64 * ROW_HEIGHT;
    pixels
}

fn scroll_to(scroller: &NodeRef, top: f64) {
    if let Some(element) = scroller.cast::<Element>() {
        #[expect(clippy::cast_possible_truncation, reason = "browsers cap heights far below this")]
        element.set_scroll_top(top as i32);
    }
}

fn keep_in_view(scroller: &NodeRef, viewport: Viewport, cursor: Option<usize>) {
    let Some(row) = cursor else { return };
    // The sticky header covers the first row's height of the viewport.
    let (top, height) = (pixels(row), viewport.height - ROW_HEIGHT - 4.0);
    if top < viewport.scroll_top {
        scroll_to(scroller, top);
    } else if top + ROW_HEIGHT > viewport.scroll_top + height {
        scroll_to(scroller, top + ROW_HEIGHT - height);
    }
}

fn header(props: &TopTableProps) -> Html {
    let sorted = |column: Column, class: &'static str, label: &'static str, title: &'static str| {
        let sort = props.sort;
        let here = sort.column == column;
        let aria_sort = match (here, sort.descending) {
            (false, _) => "none",
            (true, true) => "descending",
            (true, false) => "ascending",
        };
        // Numbers start with the largest, names with A; a second click turns round.
        let descending = if here { !sort.descending } else { column != Column::Name };
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Sort(Sort { column, descending }));
        html! {
            <div class={classes!("cell", class)} role="columnheader" aria-sort={aria_sort}>
                <button type="button" tabindex="-1" {title} {onclick}>{ label }</button>
            </div>
        }
    };
    html! {
        <div class="table-header" role="row" aria-rowindex="1">
            { sorted(Column::Flat, "flat", "flat", "In the function itself") }
            { sorted(Column::Flat, "flat-pct", "flat %", "In the function itself, of the total") }
            <div class="cell sum-pct" role="columnheader" title="flat % of this row and all above">{ "sum %" }</div>
            { sorted(Column::Cum, "cum", "cum", "In the function and what it calls") }
            { sorted(Column::Cum, "cum-pct", "cum %", "In the function and what it calls, of the total") }
            { sorted(Column::Name, "name", "name", "Function") }
        </div>
    }
}

fn table_row(props: &TopTableProps, at: usize, row: Option<&Row>) -> Html {
    let Some(row) = row else {
        return html! { <div key={at} class="top-row pending" role="row"></div> };
    };
    let chosen = props.function == Some(row.function);
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Choose(at));
    let ondblclick = {
        let dispatch = props.dispatch.clone();
        move |_: MouseEvent| {
            dispatch.emit(Action::Choose(at));
            dispatch.emit(Action::ZoomToChosen);
        }
    };
    let class = classes!("top-row", chosen.then_some("chosen"), (props.cursor == Some(at)).then_some("cursor"));
    let (head, tail) = row.name.split_at(label::tail(&row.name));
    html! {
        <div key={at} id={format!("row-{at}")} {class} role="row" aria-rowindex={(at + 2).to_string()}
            aria-selected={chosen.to_string()} {onclick} {ondblclick}>
            <div class="cell flat" role="gridcell">{ &row.flat }</div>
            <div class="cell flat-pct" role="gridcell">{ bar(&row.flat_pct) }{ &row.flat_pct }</div>
            <div class="cell sum-pct" role="gridcell">{ &row.sum_pct }</div>
            <div class="cell cum" role="gridcell">{ &row.cum }</div>
            <div class="cell cum-pct" role="gridcell">{ bar(&row.cum_pct) }{ &row.cum_pct }</div>
            <div class="cell name" role="gridcell" title={row.name.clone()}>
                <svg class="swatch" width="8" height="8" aria-hidden="true">
                    <rect width="8" height="8" rx="2" fill={swatch(row.look, props.dark)} />
                </svg>
                <span class="full"><bdi dir="ltr"><span class="head">{ head }</span>{ tail }</bdi></span>
                if !row.marker.is_empty() { <span class="marker">{ " " }{ &row.marker }</span> }
            </div>
        </div>
    }
}

/// A bar as wide as the share under its number; SVG, because the page's policy forbids `style` attributes.
fn bar(percent: &str) -> Html {
    let width = percent.trim_start_matches('-').to_owned();
    html! { <svg class="bar" aria-hidden="true"><rect {width} height="100%" /></svg> }
}

fn footer(props: &TopTableProps) -> Html {
    let Some(rows) = &props.rows else {
        return html! { <footer class="pane-footer" role="status">{ "Counting…" }</footer> };
    };
    let show_all = |all: bool, label: String| {
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::ShowAll(all));
        html! { <button type="button" class="link" data-testid="show-all" {onclick}>{ label }</button> }
    };
    let rest = match (&rows.dropped, props.all) {
        (Some((n_dropped, below)), _) => {
            html! { <>{ format!(" · {n_dropped} functions with cum ≤ {below} left out · ") }{ show_all(true, "Show all".to_owned()) }</> }
        }
        (None, true) => html! { <>{ " · " }{ show_all(false, "Leave out small functions".to_owned()) }</> },
        (None, false) => Html::default(),
    };
    html! {
        <footer class="pane-footer" data-testid="accounting">
            if rows.n_rows == 0 && !props.query.is_empty() {
                { "No function matches the search." }
            } else {
                <span>{ &rows.accounting }</span>{ rest }
            }
        </footer>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_in_view_are_drawn() {
        let viewport = |scroll_top| Viewport { width: 500.0, height: 400.0, scroll_top };
        assert_eq!(shown(viewport(0.0), 100_000), (0, 31));
        assert_eq!(shown(viewport(20_000.0), 100_000), (990, 1031));
        assert_eq!(shown(viewport(20_000.0), 5), (5, 5));
        assert_eq!(shown(viewport(0.0), 3), (0, 3));
    }
}
