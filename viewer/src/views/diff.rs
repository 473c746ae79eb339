//! What changed from one profile to another: a table of changes above the flame graph of both.

mod base;

use std::rc::Rc;

use yew::prelude::*;

use crate::protocol::{Ask, Column, DiffCells, DiffRow, DiffRows};
use crate::same::Same;
use crate::session::{FlameSlot, Session};
use crate::state::{Action, OpenFile};
use crate::views::flame_graph::FlameGraph;
use crate::views::grid::{GridNames, pending, use_grid};
use crate::views::name::{NameStyle, name, use_query};
use crate::views::row_menu::{MenuAt, menu_at, more, use_table_menu};
use crate::views::top_table::sorted;
use base::{bar, choice};

#[derive(Clone, Debug, PartialEq, Properties)]
pub(crate) struct DiffProps {
    pub(crate) session: Same<Session>,
    pub(crate) dark: bool,
    pub(crate) files: Rc<[OpenFile]>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn DiffView(props: &DiffProps) -> Html {
    let DiffProps { session, dark, dispatch, .. } = props;
    if session.base.is_none() {
        return choice(props);
    }
    let found = changes(session);
    if let Some(why) = found.and_then(|rows| rows.refused.as_ref()) {
        return html! {
            <section class="pane page" aria-label="Changes">
                { bar(props, None) }
                <div class="page-empty" role="alert" data-testid="diff-refused">
                    <h2>{ "These profiles cannot be compared so" }</h2>
                    <p>{ why }</p>
                </div>
            </section>
        };
    }
    html! {
        <>
            <DiffTable ..props.clone() />
            <FlameGraph session={session.clone()} slot={FlameSlot::Main} dark={*dark} dispatch={dispatch.clone()} />
        </>
    }
}

/// The answer about this base, if it is there.
fn changes(session: &Session) -> Option<&DiffRows> {
    let latest = session.diff()?;
    let Ask::Diff(asked) = latest.asked else { return None };
    let is_this = Some(asked.base) == session.base && asked.normalize == session.route.normalize;
    (is_this && latest.is_current).then_some(latest.reply)
}

#[component]
fn DiffTable(props: &DiffProps) -> Html {
    let DiffProps { session, dark, dispatch, .. } = props;
    let found = changes(session);
    let n_rows = found.map_or(0, |rows| rows.n_rows);
    let route = &session.route;
    let subject = (route.sort, route.query.clone(), session.about(), session.base, route.normalize, route.all);
    let grid = use_grid(n_rows, session.cursor, subject, dispatch);
    let menu = use_table_menu(&grid.scroller);
    let query = use_query(&route.query);
    let style = NameStyle { dark: *dark, query: (*query).as_ref() };
    let row_at = |at: usize| found.and_then(|rows| rows.rows.get(at.checked_sub(rows.first)?));
    let on_menu = menu.opener();
    let onkeydown = {
        let (open_menu, chosen) =
            (menu.row_opener(), session.cursor.and_then(|at| Some((at, row_at(at)?.name.clone()))));
        Callback::from(move |event: KeyboardEvent| {
            let Some((at, name)) = chosen.as_ref().filter(|_| matches!(event.key().as_str(), "m" | "ContextMenu"))
            else {
                return;
            };
            event.prevent_default();
            event.stop_propagation();
            open_menu(name, *at);
        })
    };
    let empty = found.filter(|rows| rows.n_rows == 0).map(|rows| nothing(rows, session));
    let names = GridNames { role: "grid", label: "Functions by change", class: "diff", testid: "diff-table" };
    let row = |at: usize| match row_at(at) {
        Some(row) => table_row(props, at, row, style, &on_menu),
        None => pending(at),
    };
    html! {
        <section class="pane diff-pane" aria-label="Changes">
            { bar(props, found) }
            { grid.view(names, (2, header(props)), empty, onkeydown, row) }
            { footer(props, found) }
            { menu.view(dispatch) }
        </section>
    }
}

fn nothing(rows: &DiffRows, session: &Session) -> Html {
    let text = if !session.route.query.is_empty() {
        "No function that changed matches."
    } else if rows.n_dropped > 0 {
        "No function changed much."
    } else {
        "Nothing changed."
    };
    html! { <p class="table-empty" role="note">{ text }</p> }
}

fn header(props: &DiffProps) -> Html {
    let sort = props.session.route.sort;
    let plain = |class: &'static str, label: &'static str| {
        html! { <div class={classes!("cell", class)} role="columnheader">{ label }</div> }
    };
    let change = |column, class, title| sorted(sort, column, (class, "change", title), &props.dispatch);
    html! {
        <>
            <div class="table-header groups" role="row" aria-rowindex="1">
                <div class="cell group of-flat" role="columnheader" aria-colspan="4">{ "flat" }</div>
                <div class="cell group of-cum" role="columnheader" aria-colspan="4">{ "cum" }</div>
                <div class="cell group rest" role="gridcell"></div>
            </div>
            <div class="table-header" role="row" aria-rowindex="2">
                { plain("before", "before") }
                { plain("after", "after") }
                { change(Column::Flat, "flat", "How much more there is in the function itself") }
                { plain("share", "of before") }
                { plain("before", "before") }
                { plain("after", "after") }
                { change(Column::Cum, "cum", "How much more there is in the function and what it calls") }
                { plain("share", "of before") }
                { sorted(sort, Column::Name, ("name", "name", "Function"), &props.dispatch) }
            </div>
        </>
    }
}

fn table_row(props: &DiffProps, at: usize, row: &DiffRow, style: NameStyle<'_>, on_menu: &Callback<MenuAt>) -> Html {
    let session = &props.session;
    let chosen = session.route.function.as_deref() == Some(row.name.as_str());
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Choose(at));
    let marker = if row.mark.is_empty() { String::new() } else { format!("({})", row.mark) };
    let class = classes!("top-row", chosen.then_some("chosen"), (session.cursor == Some(at)).then_some("cursor"));
    html! {
        <div key={at} id={format!("row-{at}")} {class} role="row" aria-rowindex={(at + 3).to_string()}
            aria-selected={chosen.to_string()} {onclick} oncontextmenu={menu_at(&row.name, on_menu)}>
            { cells(&row.flat, "flat") }
            { cells(&row.cum, "cum") }
            <div class="cell name" role="gridcell" title={row.name.clone()}>
                { name(&row.name, row.look, &marker, style) }
                { more(&row.name, on_menu) }
            </div>
        </div>
    }
}

/// Signs tell what colours do.
fn cells(cells: &DiffCells, of: &'static str) -> Html {
    let change = change_class(&cells.change);
    html! {
        <>
            <div class="cell before" role="gridcell">{ &cells.before }</div>
            <div class="cell after" role="gridcell">{ &cells.after }</div>
            <div class={classes!("cell", of, change)} role="gridcell">{ &cells.change }</div>
            <div class={classes!("cell", "share", change)} role="gridcell">{ &cells.share }</div>
        </>
    }
}

fn change_class(change: &str) -> &'static str {
    match change.chars().next() {
        Some('+') => "grew",
        Some('-') => "shrank",
        _ => "same",
    }
}

fn footer(props: &DiffProps, found: Option<&DiffRows>) -> Html {
    let Some(rows) = found else {
        return html! { <footer class="pane-footer" role="status">{ "Comparing…" }</footer> };
    };
    let all = |all: bool, label: &'static str| {
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::ShowAll(all));
        html! { <button type="button" class="link" {onclick}>{ label }</button> }
    };
    let is_all = props.session.route.all;
    html! {
        <footer class="pane-footer">
            <span data-testid="diff-footer">
                { format!("{} functions changed", rows.n_rows) }
                if rows.n_dropped > 0 { { format!(" · {} changed too little to show · ", rows.n_dropped) }{ all(true, "Show all") } }
                if is_all { { " · " }{ all(false, "Leave out small changes") } }
            </span>
        </footer>
    }
}

#[cfg(test)]
mod tests;
