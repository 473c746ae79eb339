//! Tables of many rows: a list of fixed height of which only the rows in view are drawn, so that 100,000 cost what is in
//! view.

use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::page::{Viewport, set_style, use_viewport};
use crate::session::Window;
use crate::state::Action;

/// As in the style sheet.
const ROW_HEIGHT: f64 = 20.0;
/// Rows drawn beyond either edge, for a scroll to run into.
const SPARE: usize = 10;

/// A table and what of it is in view.
pub(crate) struct Grid {
    /// The first row to draw, and the one past the last.
    pub(crate) first: usize,
    pub(crate) past: usize,
    pub(crate) viewport: Viewport,
    /// What scrolls.
    pub(crate) scroller: NodeRef,
    n_rows: usize,
    cursor: Option<usize>,
    space: NodeRef,
    body: NodeRef,
    onscroll: Callback<Event>,
}

/// What a table is called, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GridNames {
    /// `grid` or `treegrid`.
    pub(crate) role: &'static str,
    pub(crate) label: &'static str,
    pub(crate) class: &'static str,
    pub(crate) testid: &'static str,
}

/// Follows what of `n_rows` rows is in view and says so; keeps the cursor's row there; goes to the top when `subject`
/// changes.
#[hook]
pub(crate) fn use_grid<T: PartialEq + 'static>(
    n_rows: usize,
    cursor: Option<usize>,
    subject: T,
    dispatch: &Callback<Action>,
) -> Grid {
    let (scroller, space, body) = (use_node_ref(), use_node_ref(), use_node_ref());
    let (viewport, onscroll) = use_viewport(&scroller);
    let (first, past) = shown(viewport, n_rows);
    use_effect_with((first, past), {
        let (body, dispatch) = (body.clone(), dispatch.clone());
        move |&(first, past)| {
            set_style(&body, "transform", &format!("translateY({}px)", pixels(first)));
            dispatch.emit(Action::Window(Window { first, len: past - first }));
        }
    });
    use_effect_with(n_rows, {
        let space = space.clone();
        move |&n_rows| set_style(&space, "height", &format!("{}px", pixels(n_rows)))
    });
    use_effect_with(subject, {
        let scroller = scroller.clone();
        move |_| scroll_to(&scroller, 0.0)
    });
    use_effect_with(cursor, {
        let scroller = scroller.clone();
        move |&cursor| keep_in_view(&scroller, cursor)
    });
    Grid { first, past, viewport, scroller, n_rows, cursor, space, body, onscroll }
}

impl Grid {
    /// The table: `row` draws the row of a number, `header` the `n_header_rows` rows above all.
    pub(crate) fn view(
        &self,
        names: GridNames,
        (n_header_rows, header): (usize, Html),
        empty: Option<Html>,
        onkeydown: Callback<KeyboardEvent>,
        row: impl Fn(usize) -> Html,
    ) -> Html {
        let GridNames { role, label, class, testid } = names;
        let active = self.cursor.filter(|row| (self.first..self.past).contains(row)).map(|row| format!("row-{row}"));
        html! {
            <div ref={self.scroller.clone()} class={classes!("table-scroller", class)} tabindex="0" {role} aria-label={label}
                aria-rowcount={(self.n_rows + n_header_rows).to_string()} aria-activedescendant={active}
                onscroll={self.onscroll.clone()} {onkeydown} data-testid={testid}>
                <div class="table-head" role="rowgroup">{ header }</div>
                { empty }
                <div ref={self.space.clone()} class="table-space" role="presentation">
                    <div ref={self.body.clone()} class="table-body" role="rowgroup">
                        { for (self.first..self.past).map(row) }
                    </div>
                </div>
            </div>
        }
    }

    /// Gives the table the keyboard.
    pub(crate) fn focus(scroller: &NodeRef) {
        let _focused = scroller.cast::<HtmlElement>().map(|element| element.focus());
    }
}

/// A row that is not at hand yet.
pub(crate) fn pending(at: usize) -> Html {
    html! { <div key={at} class="top-row pending" role="row" aria-hidden="true"></div> }
}

/// A bar as wide as the share under its number; SVG, because the page's policy forbids `style` attributes.
pub(crate) fn bar(percent: &str) -> Html {
    let width = percent.trim_start_matches(['-', '+']).to_owned();
    html! { <svg class="bar" aria-hidden="true"><rect {width} height="100%" /></svg> }
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

fn keep_in_view(scroller: &NodeRef, cursor: Option<usize>) {
    let (Some(row), Some(element)) = (cursor, scroller.cast::<Element>()) else { return };
    // The header sticks to the top and covers what is there.
    let header = element.first_element_child().map_or(0.0, |header| header.get_bounding_client_rect().height());
    let (top, height) = (pixels(row), f64::from(element.client_height()) - header);
    let scroll_top = f64::from(element.scroll_top());
    if top < scroll_top {
        scroll_to(scroller, top);
    } else if top + ROW_HEIGHT > scroll_top + height {
        scroll_to(scroller, (top + ROW_HEIGHT - height).ceil());
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
