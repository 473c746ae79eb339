//! The root component: joins state, worker and views, and listens to the whole page.

use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{DragEvent, File, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::keys::{self, Effect};
use crate::link::{Link, Source};
use crate::session::Session;
use crate::state::{Action, Panes, Phase, State, Theme};
use crate::views::failure::FailurePage;
use crate::views::flame_graph::FlameGraph;
use crate::views::landing::Landing;
use crate::views::loading::Loading;
use crate::views::picker::Picker;
use crate::views::toolbar::{ThemeButton, Toolbar};
use crate::views::top_table::TopTable;
use crate::{load, page};

#[component]
pub(crate) fn App() -> Html {
    let state = use_reducer(|| State { theme: page::stored_theme(), ..State::default() });
    let dispatch = use_callback((), {
        let dispatcher = state.dispatcher();
        move |action, ()| dispatcher.dispatch(action)
    });
    let link = (*use_memo((), |()| Link::new(dispatch.clone()))).clone();
    let search = use_node_ref();
    page::use_screen_changes();

    let on_file = use_callback((), {
        let (link, dispatch) = (link.clone(), dispatch.clone());
        move |file: File, ()| {
            dispatch.emit(Action::Opening(file.name().into()));
            link.open(Source::File(file));
        }
    });
    let on_served = use_callback(Rc::clone(&state.served), {
        let (link, dispatch) = (link.clone(), dispatch.clone());
        move |at: usize, served| {
            if let Some(profile) = served.get(at) {
                dispatch.emit(Action::Opening(profile.name.clone().into()));
                link.open(Source::Url(profile.url.clone()));
            }
        }
    });

    use_effect_with((), {
        let dispatch = dispatch.clone();
        move |()| {
            wasm_bindgen_futures::spawn_local(async move { dispatch.emit(Action::Served(load::served().await)) });
        }
    });
    use_effect_with(Rc::clone(&state.served), {
        let on_served = on_served.clone();
        // Whoever dropped a file before the list came wants to see that file.
        let undecided = matches!(state.phase, Phase::Landing);
        move |_| {
            if undecided {
                on_served.emit(0);
            }
        }
    });
    use_effect_with(state.theme, |&theme| page::apply_theme(theme));
    use_effect_with(state.file_name().cloned(), |name| page::set_title(name.as_deref()));
    use_effect_with(state.session().map(Session::questions), {
        move |questions| link.ask(questions.clone().unwrap_or_default())
    });
    use_drops(&dispatch, &on_file);
    use_keys(&dispatch, &search);

    let dark = page::is_dark(state.theme);
    let content = match &state.phase {
        Phase::Landing => html! { <Landing on_file={on_file.clone()} /> },
        Phase::Loading { name, stage } => html! { <Loading name={name.clone()} stage={*stage} /> },
        Phase::Failed(failure) => html! { <FailurePage failure={failure.clone()} on_file={on_file.clone()} /> },
        Phase::Open(session) => html! {
            <>
                { toolbar(&state, session, &search, &dispatch, &on_file, &on_served) }
                { panes(state.panes, session, dark, &dispatch) }
            </>
        },
    };
    let bare = !matches!(state.phase, Phase::Open(_));
    html! {
        <div class="app" data-phase={phase_name(&state.phase)}>
            { content }
            if bare { <div class="corner">{ theme_button(state.theme, &dispatch) }</div> }
            if state.dragging { <div class="drop-veil" aria-hidden="true"><p>{ "Drop to open" }</p></div> }
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
        Phase::Loading { .. } => "loading",
        Phase::Open(_) => "open",
        Phase::Failed(_) => "failed",
    }
}

fn toolbar(
    state: &State,
    session: &Session,
    search: &NodeRef,
    dispatch: &Callback<Action>,
    on_file: &Callback<File>,
    on_served: &Callback<usize>,
) -> Html {
    let (total, part) = session.totals().unwrap_or_default();
    let matched = session.flame.as_ref().and_then(|(_, flame)| flame.matched.clone());
    html! {
        <Toolbar name={session.name.clone()} summary={session.summary.clone()} sample_index={session.sample_index}
            total={total.to_owned()} part={part.map(|part| AttrValue::from(part.to_owned()))}
            picker={picker(session, total, dispatch)} query={session.query.clone()} matched={matched.map(AttrValue::from)} panes={state.panes}
            theme={state.theme} facts_open={state.facts_open} served={state.served.clone()} search={search.clone()}
            dispatch={dispatch.clone()} on_file={on_file.clone()} on_served={on_served.clone()} />
    }
}

fn picker(session: &Session, total: &str, dispatch: &Callback<Action>) -> Html {
    if session.summary.measures.is_empty() {
        return Html::default();
    }
    html! {
        <Picker summary={session.summary.clone()} sample_index={session.sample_index} picked={session.picked}
            open={session.picker_open} weights={session.current_weights().cloned()}
            total={total.to_owned()} dispatch={dispatch.clone()} />
    }
}

fn panes(panes: Panes, session: &Session, dark: bool, dispatch: &Callback<Action>) -> Html {
    let flame = session.flame.as_ref().map(|(_, flame)| flame.clone());
    html! {
        <main class={classes!("panes", (panes == Panes::Both).then_some("both"))}>
            if panes != Panes::Flame {
                <TopTable rows={session.current_rows().cloned()} sort={session.sort} query={session.query.clone()}
                    sample_index={session.sample_index} all={session.all} cursor={session.cursor}
                    function={session.function} {dark} dispatch={dispatch.clone()} />
            }
            if panes != Panes::Table {
                <FlameGraph {flame} zoom={session.zoom()} hover={session.hover} function={session.function}
                    card={session.current_card().cloned()} {dark} dispatch={dispatch.clone()} />
            }
        </main>
    }
}

/// The whole page takes drops. Browsers open a dropped file themselves unless both events are cancelled.
#[hook]
fn use_drops(dispatch: &Callback<Action>, on_file: &Callback<File>) {
    let (dispatch, on_file) = (dispatch.clone(), on_file.clone());
    use_effect_with((), move |()| {
        let over = dispatch.clone();
        let drag_over = listen("dragover", move |event: &DragEvent| {
            if load::carries_files(event) {
                event.prevent_default();
                over.emit(Action::Dragging(true));
            }
        });
        let leave = dispatch.clone();
        let drag_leave = listen("dragleave", move |event: &DragEvent| {
            // Leaving one element for another of the page names the other.
            if event.related_target().is_none() {
                leave.emit(Action::Dragging(false));
            }
        });
        let drop_file = listen("drop", move |event: &DragEvent| {
            event.prevent_default();
            dispatch.emit(Action::Dragging(false));
            if let Some(file) = load::dropped(event) {
                on_file.emit(file);
            }
        });
        move || drop((drag_over, drag_leave, drop_file))
    });
}

#[hook]
fn use_keys(dispatch: &Callback<Action>, search: &NodeRef) {
    let (dispatch, search) = (dispatch.clone(), search.clone());
    use_effect_with((), move |()| {
        let key_down = listen("keydown", move |event: &KeyboardEvent| {
            let with_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
            let Some(effect) = keys::effect(&event.key(), page::focus()).filter(|_| !with_modifier) else { return };
            event.prevent_default();
            let input = search.cast::<HtmlInputElement>();
            match (effect, input) {
                (Effect::Do(action), _) => dispatch.emit(action),
                (Effect::FocusSearch, Some(input)) => {
                    let _focused = input.focus();
                    input.select();
                }
                (Effect::Blur, Some(input)) => {
                    let _blurred = input.blur();
                }
                (_, None) => {}
            }
        });
        move || drop(key_down)
    });
}

fn listen<E: JsCast>(kind: &'static str, heard: impl Fn(&E) + 'static) -> Option<EventListener> {
    let options = EventListenerOptions::enable_prevent_default();
    let window = web_sys::window()?;
    Some(EventListener::new_with_options(&window, kind, options, move |event| {
        if let Some(event) = event.dyn_ref::<E>() {
            heard(event);
        }
    }))
}
