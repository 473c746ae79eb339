//! What the keys do, wherever the focus is.

use crate::session::Step;
use crate::state::{Action, Panes};

/// The effect of a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Do(Action),
    FocusSearch,
    /// Leaves the search box, so that the other keys work.
    Blur,
}

/// What has the focus, as far as keys care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The search box: letters are text.
    Search,
    /// A list or a picker, which has keys of its own.
    Choice,
    /// Enter presses it.
    Button,
    /// Nothing in particular, or the table.
    Page,
}

/// What `key` does.
pub(crate) fn effect(key: &str, focus: Focus) -> Option<Effect> {
    let action = match (key, focus) {
        ("Escape", _) => Action::Escape,
        (_, Focus::Choice) | ("Enter", Focus::Button) => return None,
        ("Enter", Focus::Search) => return Some(Effect::Blur),
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
        ("1" | "t", _) => Action::Panes(Panes::Table),
        ("2" | "f", _) => Action::Panes(Panes::Flame),
        ("3" | "b", _) => Action::Panes(Panes::Both),
        ("i", _) => Action::ToggleFacts,
        ("s", _) => Action::OpenPicker(true),
        _ => return None,
    };
    Some(Effect::Do(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_text_while_typing() {
        assert_eq!(effect("t", Focus::Search), None);
        assert_eq!(effect("t", Focus::Page), Some(Effect::Do(Action::Panes(Panes::Table))));
        assert_eq!(effect("/", Focus::Search), None);
        assert_eq!(effect("/", Focus::Button), Some(Effect::FocusSearch));
    }

    #[test]
    fn escape_and_arrows_work_from_the_search_box() {
        assert_eq!(effect("Escape", Focus::Search), Some(Effect::Do(Action::Escape)));
        assert_eq!(effect("ArrowDown", Focus::Search), Some(Effect::Do(Action::MoveCursor(Step::By(1)))));
        assert_eq!(effect("Enter", Focus::Search), Some(Effect::Blur));
    }

    #[test]
    fn lists_and_buttons_keep_their_own_keys() {
        assert_eq!(effect("ArrowDown", Focus::Choice), None);
        assert_eq!(effect("Enter", Focus::Button), None);
        assert_eq!(effect("Enter", Focus::Page), Some(Effect::Do(Action::ZoomToChosen)));
    }
}
