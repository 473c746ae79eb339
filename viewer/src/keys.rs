//! What the keys do, wherever the focus is.

use crate::route::View;
use crate::session::Step;
use crate::state::{Action, Overlay};

/// The effect of a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Do(Action),
    FocusSearch,
    /// Leaves the search box, so that the other keys work.
    Blur,
    /// To the next or the last match of the search.
    Match(Step),
}

/// What has the focus, as far as keys care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The search box: letters are text.
    Search,
    /// A list, a picker or a text, which has keys of its own.
    Choice,
    /// Enter presses it.
    Button,
    /// Nothing in particular, or the table.
    Page,
}

/// A list of all keys, for people: group, key, what it does.
pub(crate) const LIST: [(&str, &str, &str); 17] = [
    ("Everywhere", "/", "search"),
    ("Everywhere", "Esc", "close, clear, zoom out, undo the last filter"),
    ("Everywhere", "?", "this list"),
    ("Everywhere", "+", "add a filter"),
    ("Everywhere", "s", "pick samples by a numeric label"),
    ("Tables", "↑ ↓", "next function"),
    ("Tables", "Page ↑ ↓ Home End", "further"),
    ("Tables", "Enter", "zoom the flame graph to the chosen function"),
    ("Tables", "m", "what can be done about the chosen function"),
    ("Tree", "→ ← Space *", "open, close, open the heaviest way"),
    ("Search", "Enter, Shift Enter", "next match, last match"),
    ("Flame graph", "← → ↑ ↓", "from frame to frame"),
    ("Flame graph", "Enter", "zoom in"),
    ("Flame graph", "Backspace", "zoom out"),
    ("Flame graph", "m, Ctrl wheel", "what can be done about the frame, zoom"),
    ("Flame graph", "v", "callers first, or callees first"),
    ("Chosen function", "w, o", "its callers and callees, its source"),
];

/// What `key` does.
pub(crate) fn effect(key: &str, with_shift: bool, focus: Focus) -> Option<Effect> {
    let action = match (key, focus) {
        ("Escape", _) => Action::Escape,
        (_, Focus::Choice) | ("Enter" | " ", Focus::Button) => return None,
        ("Enter", Focus::Search) => return Some(Effect::Match(Step::By(if with_shift { -1 } else { 1 }))),
        ("ArrowDown", Focus::Search) => return Some(Effect::Blur),
        ("ArrowDown", _) => Action::MoveCursor(Step::By(1)),
        ("ArrowUp", _) => Action::MoveCursor(Step::By(-1)),
        ("PageDown", _) => Action::MoveCursor(Step::By(20)),
        ("PageUp", _) => Action::MoveCursor(Step::By(-20)),
        (_, Focus::Search) => return None,
        ("/", _) => return Some(Effect::FocusSearch),
        ("Enter", _) => Action::ZoomToChosen,
        ("Backspace", _) => Action::ZoomOut,
        ("Home", _) => Action::MoveCursor(Step::First),
        ("End", _) => Action::MoveCursor(Step::Last),
        ("s", _) => Action::OpenPicker(true),
        ("+", _) => Action::Overlay(Overlay::Filters),
        ("?", _) => Action::Overlay(Overlay::Help),
        ("v", _) => Action::Invert,
        (key, _) => Action::View(View::ALL.into_iter().find(|view| key.chars().eq([view.key()]))?),
    };
    Some(Effect::Do(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_text_while_typing() {
        assert_eq!(effect("t", false, Focus::Search), None);
        assert_eq!(effect("t", false, Focus::Page), Some(Effect::Do(Action::View(View::Top))));
        assert_eq!(effect("/", false, Focus::Search), None);
        assert_eq!(effect("/", false, Focus::Button), Some(Effect::FocusSearch));
    }

    #[test]
    fn every_view_has_its_key() {
        for view in View::ALL {
            let key = view.key().to_string();
            assert_eq!(effect(&key, false, Focus::Page), Some(Effect::Do(Action::View(view))), "{key}");
        }
    }

    #[test]
    fn escape_and_enter_work_from_the_search_box() {
        assert_eq!(effect("Escape", false, Focus::Search), Some(Effect::Do(Action::Escape)));
        assert_eq!(effect("Enter", false, Focus::Search), Some(Effect::Match(Step::By(1))));
        assert_eq!(effect("Enter", true, Focus::Search), Some(Effect::Match(Step::By(-1))));
        assert_eq!(effect("ArrowDown", false, Focus::Search), Some(Effect::Blur));
    }

    #[test]
    fn lists_and_buttons_keep_their_own_keys() {
        assert_eq!(effect("ArrowDown", false, Focus::Choice), None);
        assert_eq!(effect("Enter", false, Focus::Button), None);
        assert_eq!(effect("Enter", false, Focus::Page), Some(Effect::Do(Action::ZoomToChosen)));
    }
}
