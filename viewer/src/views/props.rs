//! What every view of a profile is given.

use yew::prelude::*;

use crate::same::Same;
use crate::session::Session;
use crate::state::Action;

/// The session on show, and where actions go.
#[derive(Clone, Debug, PartialEq, Properties)]
pub(crate) struct ViewProps {
    pub(crate) session: Same<Session>,
    pub(crate) dark: bool,
    pub(crate) dispatch: Callback<Action>,
}
