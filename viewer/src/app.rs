//! The root component: joins state, worker and views, and listens to the whole page.

mod events;
mod opening;

use std::rc::Rc;

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::address::use_address;
use crate::link::Link;
use crate::page;
use crate::route::View;
use crate::session::FlameSlot;
use crate::state::{Action, Phase, State, Theme};
use crate::views::diff::DiffView;
use crate::views::failure::FailurePage;
use crate::views::flame_graph::FlameGraph;
use crate::views::graph::GraphView;
use crate::views::landing::Landing;
use crate::views::loading::Loading;
use crate::views::notices::Notices;
use crate::views::overlays::Overlays;
use crate::views::props::ViewProps;
use crate::views::sandwich::SandwichView;
use crate::views::source::SourceView;
use crate::views::steps::Steps;
use crate::views::summary::SummaryView;
use crate::views::tabs::Tabs;
use crate::views::tags::TagsView;
use crate::views::toolbar::{ThemeButton, Toolbar};
use crate::views::top_table::TopTable;
use crate::views::tree_table::TreeView;
use events::{use_drops, use_keys, use_paste};
use opening::{Opener, use_served};

#[component]
pub(crate) fn App() -> Html {
    let state = use_reducer(|| State { theme: page::stored_theme(), ..State::default() });
    let dispatch = use_callback((), {
        let dispatcher = state.dispatcher();
        move |action, ()| dispatcher.dispatch(action)
    });
    let link = (*use_memo((), |()| Link::new(dispatch.clone()))).clone();
    let opener = (*use_memo((), |()| Opener::new(link.clone(), dispatch.clone()))).clone();
    let search = use_node_ref();
    page::use_screen_changes();

    let on_files = use_callback(state.shown().is_some(), {
        let opener = opener.clone();
        move |files, _| opener.open(files)
    });
    use_served(&opener, &dispatch);
    use_address(state.route(), &dispatch);
    use_effect_with(state.theme, |&theme| page::apply_theme(theme));
    use_effect_with(state.file_name(), |name| page::set_title(name.as_deref()));
    use_effect_with(state.shown().map(|session| session.questions()), {
        move |questions| link.ask(questions.clone().unwrap_or_default())
    });
    use_drops(&dispatch, &opener);
    use_paste(&opener);
    use_keys(&dispatch, &search);

    let dark = page::is_dark(state.theme);
    let content = match &state.phase {
        Phase::Landing => html! { <Landing {on_files} on_recent={opener.on_recent()} /> },
        Phase::Loading(file) => loading(&state, *file, &opener),
        Phase::Failed(failure) => {
            let on_back = state.session.is_some().then(|| dispatch.reform(|()| Action::Back));
            html! { <FailurePage failure={failure.clone()} {on_files} {on_back} /> }
        }
        Phase::Open => state
            .session
            .as_ref()
            .map(|session| {
                let props = ViewProps { session: session.clone(), dark, dispatch: dispatch.clone() };
                opened(&state, &props, &search, &opener)
            })
            .unwrap_or_default(),
    };
    let bare = state.phase != Phase::Open;
    html! {
        <div class="app" data-phase={phase_name(&state.phase)}>
            { content }
            if bare { <div class="corner">{ theme_button(state.theme, &dispatch) }</div> }
            <Notices notices={state.notices.clone()} dispatch={dispatch.clone()} />
            if state.dragging { { drop_veil(state.shown().map(|session| &session.name)) } }
        </div>
    }
}

fn loading(state: &State, file: crate::protocol::FileId, opener: &Opener) -> Html {
    let Some(file) = state.file(file) else { return Html::default() };
    let on_cancel = {
        let (opener, id) = (opener.clone(), file.id);
        Callback::from(move |()| opener.close(id))
    };
    html! { <Loading name={file.name.clone()} stage={file.stage()} {on_cancel} /> }
}

/// Where a drop goes, while files hover over the page.
fn drop_veil(shown: Option<&AttrValue>) -> Html {
    html! {
        <div class="drop-veil" aria-hidden="true">
            <div class="drop-open"><p>{ "Drop to open" }</p></div>
            if let Some(name) = shown {
                <div class="drop-compare"><p>{ "Drop here to compare with " }<bdi>{ name }</bdi></p></div>
            }
        </div>
    }
}

fn theme_button(theme: Theme, dispatch: &Callback<Action>) -> Html {
    html! { <ThemeButton {theme} dispatch={dispatch.clone()} /> }
}

/// The phase as tests and styles read it.
fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Landing => "landing",
        Phase::Loading(_) => "loading",
        Phase::Open => "open",
        Phase::Failed(_) => "failed",
    }
}

fn opened(state: &State, props: &ViewProps, search: &NodeRef, opener: &Opener) -> Html {
    let ViewProps { session, dispatch, .. } = props;
    let files = Rc::<[_]>::from(state.files.clone());
    html! {
        <>
            <Toolbar session={session.clone()} n_files={state.profiles().count()} theme={state.theme} overlay={state.overlay}
                search={search.clone()} again={opener.again(&state.served, &session.name)} dispatch={dispatch.clone()} />
            <Tabs view={session.route.view} dispatch={dispatch.clone()} />
            <Steps session={session.clone()} dispatch={dispatch.clone()} />
            <Overlays overlay={state.overlay} theme={state.theme} session={session.clone()} {files} served={Rc::clone(&state.served)}
                on_open={opener.on_open()} on_served={opener.on_served(&state.served)} on_close={opener.on_close()}
                on_save={opener.on_save()} on_recent={opener.on_recent()}
                dispatch={dispatch.clone()} />
            { view(props, &Rc::from(state.files.clone())) }
        </>
    }
}

fn view(props: &ViewProps, files: &Rc<[crate::state::OpenFile]>) -> Html {
    let view = props.session.route.view;
    let content = match view {
        View::Both => html! {
            <>
                <TopTable ..props.clone() />
                { flame(props) }
            </>
        },
        View::Top => html! { <TopTable ..props.clone() /> },
        View::Flame => flame(props),
        View::Sandwich => html! { <SandwichView ..props.clone() /> },
        View::Tree => html! { <TreeView ..props.clone() /> },
        View::Graph => html! { <GraphView ..props.clone() /> },
        View::Source => html! { <SourceView ..props.clone() /> },
        View::Tags => html! { <TagsView ..props.clone() /> },
        View::Diff => html! {
            <DiffView session={props.session.clone()} dark={props.dark} files={Rc::clone(files)} dispatch={props.dispatch.clone()} />
        },
        View::Summary => html! { <SummaryView ..props.clone() /> },
    };
    html! {
        <main class="view"><div id="view" class={classes!("panes", format!("view-{}", view.name()))} role="tabpanel" aria-label={view.title()} data-view={view.name()}>
            { content }
        </div></main>
    }
}

fn flame(props: &ViewProps) -> Html {
    html! {
        <FlameGraph session={props.session.clone()} slot={FlameSlot::Main} dark={props.dark}
            dispatch={props.dispatch.clone()} />
    }
}

/// Leaves the search box, or goes to it.
fn focus_search(search: &NodeRef, is_wanted: bool) {
    let Some(input) = search.cast::<HtmlInputElement>() else { return };
    if is_wanted {
        let _focused = input.focus();
        input.select();
    } else {
        let _blurred = input.blur();
    }
}
