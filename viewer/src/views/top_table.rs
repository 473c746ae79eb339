//! The top table: pprof's columns, or flat and cum of every sample type beside each other.

use yew::prelude::*;

use crate::page::set_style;
use crate::protocol::{Column, Row, SampleType, Sort};
use crate::route::View;
use crate::state::Action;
use crate::views::grid::{GridNames, bar, pending, use_grid};
use crate::views::name::{NameStyle, name, use_query};
use crate::views::props::ViewProps;
use crate::views::row_menu::{MenuAt, menu_at, more, use_table_menu};

#[component]
pub(crate) fn TopTable(props: &ViewProps) -> Html {
    let session = &props.session;
    let found = session.current_rows();
    let n_rows = found.map_or(0, |rows| rows.n_rows);
    let route = &session.route;
    let subject = (route.sort, route.query.clone(), session.about(), route.all);
    let grid = use_grid(n_rows, session.cursor, subject, &props.dispatch);
    let menu = use_table_menu(&grid.scroller);
    let query = use_query(&route.query);
    let columns = if every_type(props) { 2 * session.summary.sample_types.len() } else { 0 };
    use_effect_with(columns, {
        let scroller = grid.scroller.clone();
        move |columns| set_style(&scroller, "--columns", &columns.to_string())
    });

    let row_at = |at: usize| found.and_then(|rows| rows.rows.get(at.checked_sub(rows.first)?));
    let onkeydown = {
        let (dispatch, open_menu, view) = (props.dispatch.clone(), menu.row_opener(), route.view);
        let chosen = session.cursor.and_then(|at| Some((at, row_at(at)?.name.clone(), row_at(at)?.function)));
        Callback::from(move |event: KeyboardEvent| {
            let Some((at, name, function)) = &chosen else { return };
            match (event.key().as_str(), view) {
                ("m" | "ContextMenu", _) => open_menu(name, *at),
                ("Enter", View::Sandwich | View::Source) => dispatch.emit(Action::Function(Some(name.clone()))),
                ("Enter", View::Top) => {
                    dispatch.emit(Action::View(View::Both));
                    dispatch.emit(Action::ZoomToWidest(*function));
                }
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let style = NameStyle { dark: props.dark, query: (*query).as_ref() };
    let on_menu = menu.opener();
    let names = GridNames { role: "grid", label: "Functions by value", class: table_class(props), testid: "top-table" };
    let empty = found.filter(|rows| rows.n_rows == 0).map(|_| nothing(props));
    html! {
        <section class="pane table-pane" aria-label="Functions">
            { grid.view(names, header(props), empty, onkeydown, |at| table_row(props, at, row_at(at), style, &on_menu)) }
            { footer(props) }
            { menu.view(&props.dispatch) }
        </section>
    }
}

fn every_type(props: &ViewProps) -> bool {
    props.session.route.every_type && props.session.summary.sample_types.len() > 1
}

fn has_kept(props: &ViewProps) -> bool {
    props.session.current_rows().is_some_and(|rows| rows.has_kept)
}

fn table_class(props: &ViewProps) -> &'static str {
    match (every_type(props), has_kept(props)) {
        (false, _) => "one-type",
        (true, false) => "every-type",
        (true, true) => "every-type kept",
    }
}

/// In place of rows. A heap profile of a program that frees all it has begins so, as `inuse_space` is shown first.
fn nothing(props: &ViewProps) -> Html {
    let route = &props.session.route;
    let text = if !route.query.is_empty() {
        "No function matches."
    } else if route.filters.is_empty() && route.picked.is_none() {
        "Nothing has a value of this sample type. There are others in the list above."
    } else {
        "The filters leave nothing that has a value of this sample type."
    };
    html! { <p class="table-empty" role="note">{ text }</p> }
}

/// A header that orders the table. Numbers start with the largest, names with A; a second click turns round.
pub(crate) fn sorted(
    sort: Sort,
    column: Column,
    (class, label, title): (&'static str, &'static str, &'static str),
    dispatch: &Callback<Action>,
) -> Html {
    let here = sort.column == column;
    let aria_sort = match (here, sort.descending) {
        (false, _) => "none",
        (true, true) => "descending",
        (true, false) => "ascending",
    };
    let descending = if here { !sort.descending } else { column != Column::Name };
    let onclick = dispatch.reform(move |_: MouseEvent| Action::Sort(Sort { column, descending }));
    html! {
        <div class={classes!("cell", class)} role="columnheader" aria-sort={aria_sort}>
            <button type="button" {title} {onclick}>{ label }</button>
        </div>
    }
}

/// The rows above all, and how many.
fn header(props: &ViewProps) -> (usize, Html) {
    let (sort, dispatch) = (props.session.route.sort, &props.dispatch);
    let sorted = |column, names| sorted(sort, column, names, dispatch);
    if every_type(props) {
        return (2, every_header(props));
    }
    let header = html! {
        <div class="table-header" role="row" aria-rowindex="1">
            { sorted(Column::Flat, ("flat", "flat", "In the function itself")) }
            { sorted(Column::Flat, ("flat-pct", "flat %", "In the function itself, of the total")) }
            <div class="cell sum-pct" role="columnheader" title="flat % of this row and all above">{ "sum %" }</div>
            { sorted(Column::Cum, ("cum", "cum", "In the function and what it calls")) }
            { sorted(Column::Cum, ("cum-pct", "cum %", "In the function and what it calls, of the total")) }
            { sorted(Column::Name, ("name", "name", "Function")) }
        </div>
    };
    (1, header)
}

/// A group a sample type, above flat and cum of each. The chosen type decides the order.
fn every_header(props: &ViewProps) -> Html {
    let session = &props.session;
    let group = |(at, of): (usize, &SampleType)| {
        let is_chosen = at == session.sample_index;
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::SampleType(at));
        html! {
            <div class={classes!("cell", "group", is_chosen.then_some("chosen"))} role="columnheader" aria-colspan="2">
                <button type="button" {onclick} title="Order by this sample type">{ &of.kind }</button>
            </div>
        }
    };
    let columns = |(at, _): (usize, &SampleType)| {
        let title = "Order by this column";
        if at == session.sample_index {
            let sort = session.route.sort;
            return html! {
                <>
                    { sorted(sort, Column::Flat, ("flat", "flat", title), &props.dispatch) }
                    { sorted(sort, Column::Cum, ("cum", "cum", title), &props.dispatch) }
                </>
            };
        }
        let column = |class: &'static str, column: Column| {
            let dispatch = props.dispatch.clone();
            let onclick = move |_: MouseEvent| {
                dispatch.emit(Action::SampleType(at));
                dispatch.emit(Action::Sort(Sort { column, descending: true }));
            };
            html! {
                <div class={classes!("cell", class)} role="columnheader">
                    <button type="button" {title} {onclick}>{ class }</button>
                </div>
            }
        };
        html! { <>{ column("flat", Column::Flat) }{ column("cum", Column::Cum) }</> }
    };
    let types = &session.summary.sample_types;
    let kept = has_kept(props);
    html! {
        <>
            <div class="table-header groups" role="row" aria-rowindex="1">
                { for types.iter().enumerate().map(group) }
                <div class="cell group rest" role="gridcell" aria-colspan={if kept { "2" } else { "1" }}></div>
            </div>
            <div class="table-header" role="row" aria-rowindex="2">
                { for types.iter().enumerate().map(columns) }
                if kept {
                    <div class="cell kept" role="columnheader" title="in use, of what was allocated here or below">{ "kept" }</div>
                }
                { sorted(session.route.sort, Column::Name, ("name", "name", "Function"), &props.dispatch) }
            </div>
        </>
    }
}

fn table_row(
    props: &ViewProps,
    at: usize,
    row: Option<&Row>,
    style: NameStyle<'_>,
    on_menu: &Callback<MenuAt>,
) -> Html {
    let Some(row) = row else { return pending(at) };
    let session = &props.session;
    let chosen = session.route.function.as_deref() == Some(row.name.as_str());
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Choose(at));
    let ondblclick = {
        let (dispatch, name, function) = (props.dispatch.clone(), row.name.clone(), row.function);
        move |_: MouseEvent| {
            // The second click let go of what the first one chose.
            dispatch.emit(Action::Function(Some(name.clone())));
            dispatch.emit(Action::ZoomToWidest(function));
        }
    };
    let class = classes!("top-row", chosen.then_some("chosen"), (session.cursor == Some(at)).then_some("cursor"));
    let n_header_rows = if every_type(props) { 3 } else { 2 };
    html! {
        <div key={at} id={format!("row-{at}")} {class} role="row" aria-rowindex={(at + n_header_rows).to_string()}
            aria-selected={chosen.to_string()} {onclick} {ondblclick} oncontextmenu={menu_at(&row.name, on_menu)}>
            if every_type(props) { { every_cells(props, row) } } else { { cells(row) } }
            <div class="cell name" role="gridcell" title={row.name.clone()}>
                { name(&row.name, row.look, &row.marker, style) }
                { more(&row.name, on_menu) }
            </div>
        </div>
    }
}

fn cells(row: &Row) -> Html {
    html! {
        <>
            <div class="cell flat" role="gridcell">{ &row.flat }</div>
            <div class="cell flat-pct" role="gridcell">{ bar(&row.flat_pct) }{ &row.flat_pct }</div>
            <div class="cell sum-pct" role="gridcell">{ &row.sum_pct }</div>
            <div class="cell cum" role="gridcell">{ &row.cum }</div>
            <div class="cell cum-pct" role="gridcell">{ bar(&row.cum_pct) }{ &row.cum_pct }</div>
        </>
    }
}

fn every_cells(props: &ViewProps, row: &Row) -> Html {
    let pair = |(at, (flat, cum)): (usize, &(String, String))| {
        let chosen = (at == props.session.sample_index).then_some("of-chosen");
        // The chosen type has the same numbers as its own table, which may be in another unit.
        html! {
            <>
                <div class={classes!("cell", "flat", chosen)} role="gridcell">{ flat }</div>
                <div class={classes!("cell", "cum", chosen)} role="gridcell">{ cum }</div>
            </>
        }
    };
    html! {
        <>
            { for row.every.iter().enumerate().map(pair) }
            if let Some(kept) = &row.kept { <div class="cell kept" role="gridcell">{ bar(kept) }{ kept }</div> }
        </>
    }
}

fn footer(props: &ViewProps) -> Html {
    let Some(rows) = props.session.current_rows() else {
        return html! { <footer class="pane-footer" role="status">{ "Counting…" }</footer> };
    };
    let show_all = |all: bool, label: String| {
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::ShowAll(all));
        html! { <button type="button" class="link" data-testid="show-all" {onclick}>{ label }</button> }
    };
    let rest = match (&rows.dropped, props.session.route.all) {
        (Some((n_dropped, below)), _) => {
            html! { <>{ format!(" · {n_dropped} functions with cum ≤ {below} left out · ") }{ show_all(true, "Show all".to_owned()) }</> }
        }
        (None, true) => html! { <>{ " · " }{ show_all(false, "Leave out small functions".to_owned()) }</> },
        (None, false) => Html::default(),
    };
    html! {
        <footer class="pane-footer">
            <span data-testid="accounting">
                if rows.n_rows == 0 && !props.session.route.query.is_empty() {
                    { "No function matches the search." }
                } else {
                    <span>{ &rows.accounting }</span>{ rest }
                }
            </span>
            { every_button(props) }
        </footer>
    }
}

/// Shows all sample types at once, or one.
fn every_button(props: &ViewProps) -> Html {
    if props.session.summary.sample_types.len() < 2 {
        return Html::default();
    }
    let every_type = props.session.route.every_type;
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::EveryType(!every_type));
    html! {
        <button type="button" class="chip" aria-pressed={every_type.to_string()} {onclick} data-testid="every-type"
            title="Flat and cum of every sample type beside each other">{ "All sample types" }</button>
    }
}

#[cfg(test)]
mod tests;
