//! The call tree as a table whose rows open and close.

use yew::prelude::*;

use crate::protocol::TreeRow;
use crate::route::View;
use crate::session::Step;
use crate::state::Action;
use crate::views::grid::{Grid, GridNames, bar, pending, use_grid};
use crate::views::name::{NameStyle, name, use_query};
use crate::views::props::ViewProps;
use crate::views::row_menu::{MenuAt, menu_at, more, use_table_menu};

/// How far a level is indented, in CSS pixels.
const INDENT: f64 = 12.0;

#[component]
pub(crate) fn TreeView(props: &ViewProps) -> Html {
    let session = &props.session;
    let found = session.tree().map(|latest| latest.reply);
    let n_rows = found.map_or(0, |rows| rows.n_rows);
    let subject = (session.about(), session.route.flame.inverted);
    let grid = use_grid(n_rows, session.cursor, subject, &props.dispatch);
    let menu = use_table_menu(&grid.scroller);
    let query = use_query(&session.route.query);
    use_effect_with((), {
        let scroller = grid.scroller.clone();
        // Arrows are the table's from the start, unless something else has them.
        move |()| {
            let active = web_sys::window().and_then(|window| window.document()?.active_element());
            if active.is_none_or(|active| active.tag_name() == "BODY") {
                Grid::focus(&scroller);
            }
        }
    });
    let row_at = |at: usize| found.and_then(|rows| rows.rows.get(at.checked_sub(rows.first)?));
    let onkeydown = {
        let (dispatch, open_menu) = (props.dispatch.clone(), menu.row_opener());
        let chosen = session.cursor.and_then(|at| Some((at, row_at(at)?.clone())));
        Callback::from(move |event: KeyboardEvent| {
            let Some((at, row)) = &chosen else { return };
            if matches!(event.key().as_str(), "m" | "ContextMenu") && row.node != 0 {
                open_menu(&row.name, *at);
            } else if let Some(action) = key_action(&event.key(), row) {
                dispatch.emit(action);
            } else {
                return;
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let on_menu = menu.opener();
    let style = NameStyle { dark: props.dark, query: (*query).as_ref() };
    let most_levels = most_levels(grid.viewport.width);
    let names = GridNames { role: "treegrid", label: "Call tree", class: "tree", testid: "tree-table" };
    let row = |at: usize| match row_at(at) {
        Some(row) => table_row(props, at, row, most_levels, style, &on_menu),
        None => pending(at),
    };
    html! {
        <section class="pane tree-pane" aria-label="Call tree">
            { controls(props) }
            { grid.view(names, (1, header()), None, onkeydown, row) }
            <footer class="pane-footer">
                <span><kbd>{ "→" }</kbd>{ " opens, " }<kbd>{ "←" }</kbd>{ " closes, " }<kbd>{ "*" }</kbd>
                { " opens the heaviest way, " }<kbd>{ "Enter" }</kbd>{ " shows callers and callees" }</span>
            </footer>
            { menu.view(&props.dispatch) }
        </section>
    }
}

/// What a key does to the chosen row.
fn key_action(key: &str, row: &TreeRow) -> Option<Action> {
    Some(match key {
        "ArrowRight" if !row.has_children => return None,
        "ArrowRight" if row.is_open => Action::MoveCursor(Step::By(1)),
        "ArrowRight" => Action::ToggleNode(row.node),
        "ArrowLeft" if row.is_open && row.node != 0 => Action::ToggleNode(row.node),
        "ArrowLeft" => Action::ChooseNode(row.parent?),
        " " if row.has_children && row.node != 0 => Action::ToggleNode(row.node),
        "*" => Action::ExpandNode(row.node),
        "Enter" if row.node != 0 => Action::Open(View::Sandwich, row.name.clone()),
        _ => return None,
    })
}

/// Deeper levels are told by their number: names need the room.
fn most_levels(width: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and widths are small")]
    let levels = (width * 0.35 / INDENT) as u32;
    levels.max(8)
}

fn controls(props: &ViewProps) -> Html {
    let session = &props.session;
    let (dispatch, inverted) = (&props.dispatch, session.route.flame.inverted);
    let invert = dispatch.reform(|_: MouseEvent| Action::Invert);
    let hottest = {
        let node = session.tree_table.chosen.unwrap_or(0);
        dispatch.reform(move |_: MouseEvent| Action::ExpandNode(node))
    };
    let collapse = {
        let (dispatch, open) = (dispatch.clone(), session.tree_table.open.clone());
        move |_: MouseEvent| open.iter().for_each(|&node| dispatch.emit(Action::ToggleNode(node)))
    };
    html! {
        <div class="pane-bar" role="toolbar" aria-label="Call tree">
            <button type="button" class="chip" aria-pressed={inverted.to_string()} onclick={invert} data-testid="tree-invert"
                title="Begin with what was running, callers below (v)">{ "Callers below" }</button>
            <button type="button" class="chip" onclick={hottest} data-testid="tree-hottest"
                title="Open the heaviest way below the chosen row (*)">{ "Open heaviest way" }</button>
            <button type="button" class="chip" onclick={collapse} data-testid="tree-collapse">{ "Close all" }</button>
        </div>
    }
}

fn header() -> Html {
    let cell = |class: &'static str, label: &'static str, title: &'static str| {
        html! { <div class={classes!("cell", class)} role="columnheader" {title}>{ label }</div> }
    };
    html! {
        <div class="table-header" role="row" aria-rowindex="1">
            { cell("cum", "cum", "Here and below") }
            { cell("cum-pct", "cum %", "Here and below, of the total") }
            { cell("flat", "flat", "Here itself") }
            { cell("of-parent", "of parent", "Here and below, of the row above it") }
            { cell("name", "name", "Function") }
        </div>
    }
}

fn table_row(
    props: &ViewProps,
    at: usize,
    row: &TreeRow,
    most_levels: u32,
    style: NameStyle<'_>,
    on_menu: &Callback<MenuAt>,
) -> Html {
    let dispatch = &props.dispatch;
    let node = row.node;
    // All together are no function.
    let no_menu = Callback::noop();
    let on_menu = if node == 0 { &no_menu } else { on_menu };
    let is_cursor = props.session.cursor == Some(at);
    let is_of_function = props.session.route.function.as_deref() == Some(row.name.as_str()) && node != 0;
    let onclick = dispatch.reform(move |_: MouseEvent| Action::Choose(at));
    let toggle = {
        let dispatch = dispatch.clone();
        move |event: MouseEvent| {
            event.stop_propagation();
            dispatch.emit(Action::ToggleNode(node));
        }
    };
    let ondblclick =
        (row.has_children && node != 0).then(|| dispatch.reform(move |_: MouseEvent| Action::ToggleNode(node)));
    let class = classes!(
        "top-row",
        (is_cursor || is_of_function).then_some("chosen"),
        is_cursor.then_some("cursor"),
        row.look.is_matched().then_some("matched-row")
    );
    let marker = if row.inlined { "(inline)" } else { "" };
    let indent = f64::from(row.depth.min(most_levels)) * INDENT;
    let shown_name = if node == 0 { "all" } else { row.name.as_str() };
    html! {
        <div key={at} id={format!("row-{at}")} {class} role="row" aria-rowindex={(at + 2).to_string()}
            aria-level={(row.depth + 1).to_string()} aria-selected={is_cursor.to_string()}
            aria-expanded={row.has_children.then(|| row.is_open.to_string())} {onclick} {ondblclick}
            oncontextmenu={menu_at(&row.name, on_menu)}>
            <div class="cell cum" role="gridcell">{ &row.cum }</div>
            <div class="cell cum-pct" role="gridcell">{ bar(&row.cum_pct) }{ &row.cum_pct }</div>
            <div class="cell flat" role="gridcell">{ &row.flat }</div>
            <div class="cell of-parent" role="gridcell">{ &row.of_parent }</div>
            <div class="cell name" role="gridcell" title={row.name.clone()}>
                <svg class="indent" width={indent.to_string()} height="1" aria-hidden="true"></svg>
                if row.depth > most_levels { <span class="depth" title="How deep">{ row.depth.to_string() }</span> }
                if row.has_children && node != 0 {
                    <button type="button" class={classes!("twisty", row.is_open.then_some("open"))} tabindex="-1"
                        aria-label={if row.is_open { "Close" } else { "Open" }} onclick={toggle}></button>
                } else {
                    <span class="twisty-space" aria-hidden="true"></span>
                }
                if node == 0 { <span class="full">{ shown_name }</span> } else { { name(shown_name, row.look, marker, style) } }
                if node != 0 {
                    { more(&row.name, on_menu) }
                }
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Ask, Reply, TreeRows};
    use crate::views::testing::{answer, props, render, session};

    fn row(node: u32, depth: u32, is_open: bool) -> TreeRow {
        let parent = node.checked_sub(1);
        let text = |text: &str| text.to_owned();
        TreeRow {
            node,
            parent,
            depth,
            has_children: node < 2,
            is_open,
            name: format!("app::f{node}"),
            cum: text("9ms"),
            of_parent: text("90.00%"),
            ..TreeRow::default()
        }
    }

    #[test]
    fn rows_tell_their_level_and_whether_they_are_open() {
        let mut session = session(&["cpu"], "view=tree&search=f2");
        let rows = vec![row(0, 0, true), row(1, 1, false), row(2, 40, false)];
        let ask = Ask::Tree(session.tree_ask());
        answer(&mut session, ask, Reply::Tree(TreeRows { rows, n_rows: 3, ..TreeRows::default() }));
        let props = props(session);
        let html = render::<TreeView>(move || props);
        for part in [
            "role=\"treegrid\"",
            "aria-level=\"41\"",
            "aria-expanded=\"true\"",
            "aria-expanded=\"false\"",
            "<mark>f2</mark>",
            ">90.00%<",
            ">40</span>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(html.matches("aria-expanded").count(), 2, "a leaf neither opens nor closes: {html}");
    }

    #[test]
    fn arrows_open_close_and_walk() {
        let check =
            |key: &str, row: &TreeRow, expected: Option<Action>| assert_eq!(key_action(key, row), expected, "{key}");
        let [root, closed, open, leaf] = [row(0, 0, true), row(1, 1, false), row(1, 1, true), row(2, 2, false)];
        check("ArrowRight", &closed, Some(Action::ToggleNode(1)));
        check("ArrowRight", &open, Some(Action::MoveCursor(Step::By(1))));
        check("ArrowRight", &leaf, None);
        check("ArrowLeft", &open, Some(Action::ToggleNode(1)));
        check("ArrowLeft", &closed, Some(Action::ChooseNode(0)));
        check("ArrowLeft", &leaf, Some(Action::ChooseNode(1)));
        check("ArrowLeft", &root, None);
        check("*", &leaf, Some(Action::ExpandNode(2)));
        check("Enter", &leaf, Some(Action::Open(View::Sandwich, "app::f2".to_owned())));
        check("Enter", &root, None);
        check("x", &leaf, None);
    }
}
