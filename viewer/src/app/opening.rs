//! Gives files to the worker, and says to the state what they are called.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use yew::prelude::*;

use crate::link::{From, Link, Source};
use crate::load::Listed;
use crate::protocol::FileId;
use crate::route::Route;
use crate::state::{Action, Intent, NewFile, Served};
use crate::{address, load, recent, saved};

/// Opens and closes files.
#[derive(Clone)]
pub(crate) struct Opener {
    link: Link,
    dispatch: Callback<Action>,
    next: Rc<Cell<u32>>,
    /// Where each file's bytes are, for saving: handles, not the bytes.
    sources: Rc<RefCell<HashMap<FileId, Source>>>,
}

impl PartialEq for Opener {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.next, &other.next)
    }
}

impl Opener {
    pub(super) fn new(link: Link, dispatch: Callback<Action>) -> Opener {
        Opener { link, dispatch, next: Rc::default(), sources: Rc::default() }
    }

    /// Opens what was dropped or picked together: one file is shown; two are compared; of more the first is shown.
    pub(crate) fn open(&self, sources: Vec<Source>) {
        let intents = if sources.len() == 2 { [Intent::Show, Intent::Compare] } else { [Intent::Show, Intent::Keep] };
        let intents = intents.into_iter().chain(std::iter::repeat(Intent::Keep));
        self.open_as(sources.into_iter().zip(intents).collect());
    }

    /// Opens what was dropped to be compared with what is on show: the first of them.
    pub(crate) fn compare(&self, sources: Vec<Source>) {
        let intents = std::iter::once(Intent::Compare).chain(std::iter::repeat(Intent::Keep));
        self.open_as(sources.into_iter().zip(intents).collect());
    }

    pub(crate) fn open_as(&self, sources: Vec<(Source, Intent)>) {
        if sources.is_empty() {
            return;
        }
        let new_file = |(source, intent): &(Source, Intent)| {
            let id = FileId(self.next.replace(self.next.get() + 1));
            NewFile { id, name: source.name.clone().into(), intent: *intent }
        };
        let files: Vec<NewFile> = sources.iter().map(new_file).collect();
        self.dispatch.emit(Action::Opening(files.clone()));
        for (file, (source, _)) in files.into_iter().zip(sources) {
            self.sources.borrow_mut().insert(file.id, source.clone());
            wasm_bindgen_futures::spawn_local({
                let source = source.clone();
                async move { recent::keep(&source).await }
            });
            self.link.open(file.id, source);
        }
    }

    pub(crate) fn close(&self, id: FileId) {
        self.dispatch.emit(Action::Close(id));
        self.sources.borrow_mut().remove(&id);
        self.link.close(id);
    }

    /// Saves a page that shows a file as it is shown now.
    pub(super) fn on_save(&self) -> Callback<(FileId, Route)> {
        let opener = self.clone();
        Callback::from(move |(id, route): (FileId, Route)| {
            let Some(source) = opener.sources.borrow().get(&id).cloned() else { return };
            let dispatch = opener.dispatch.clone();
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(why) = saved::save(&source, &route).await {
                    dispatch.emit(Action::Notice(format!("The page could not be saved: {why}").into()));
                }
            });
        })
    }

    /// Opens a file of an earlier visit.
    pub(super) fn on_recent(&self) -> Callback<String> {
        let opener = self.clone();
        Callback::from(move |name: String| {
            let opener = opener.clone();
            wasm_bindgen_futures::spawn_local(async move {
                match recent::open(&name).await {
                    Some(source) => opener.open(vec![source]),
                    None => opener.dispatch.emit(Action::Notice(format!("{name} is no longer kept here").into())),
                }
            });
        })
    }

    pub(super) fn on_open(&self) -> Callback<Vec<Source>> {
        let opener = self.clone();
        Callback::from(move |sources| opener.open(sources))
    }

    pub(super) fn on_close(&self) -> Callback<FileId> {
        let opener = self.clone();
        Callback::from(move |id| opener.close(id))
    }

    pub(super) fn on_served(&self, served: &Rc<[Served]>) -> Callback<usize> {
        let (opener, served) = (self.clone(), Rc::clone(served));
        Callback::from(move |at: usize| {
            if let Some(served) = served.get(at) {
                opener.open(vec![if served.live { served.source_now() } else { served.source() }]);
            }
        })
    }

    /// Takes a profile of the running guest that has this name again; `None` for all others.
    pub(super) fn again(&self, served: &Rc<[Served]>, name: &str) -> Option<Callback<MouseEvent>> {
        let is_it =
            |it: &Served| it.live && name.strip_prefix(&*it.name).is_some_and(|at| at.is_empty() || at.starts_with(AT));
        let at = served.iter().position(is_it)?;
        Some(self.on_served(served).reform(move |_| at))
    }
}

/// Between the name of a running guest's profile and when it was taken.
const AT: &str = " at ";

impl Served {
    fn source(&self) -> Source {
        Source { name: self.name.clone(), from: From::Url(self.url.clone()) }
    }

    /// The same with the time in its name, as another is taken each time.
    fn source_now(&self) -> Source {
        let time = js_sys::Date::new_0().to_locale_time_string("default");
        Source { name: format!("{}{AT}{}", self.name, String::from(time)), ..self.source() }
    }
}

/// What is opened of a list by itself: what tells more about profiles, what the link is about, and the base of a diff.
fn first_of(served: &Listed, route: &Route) -> Vec<(Source, Intent)> {
    let named = |name: &Option<String>| served.profiles.iter().find(|it| Some(&it.name) == name.as_ref());
    let shown = named(&route.file).or(served.profiles.first());
    let base = served.base.as_ref().or(named(&route.base));
    let modules = served.modules.iter().map(|it| (it.source(), Intent::Keep));
    let shown = shown.map(|it| (it.source(), Intent::Show));
    // A link says itself which view is on show.
    let intent = if *route == Route::default() { Intent::Base } else { Intent::Keep };
    let base = base.map(|it| (it.source(), intent));
    modules.chain(shown).chain(base).collect()
}

/// Opens what the page was saved with, what the address names, or else the first that is served.
#[hook]
pub(super) fn use_served(opener: &Opener, dispatch: &Callback<Action>) {
    let (opener, dispatch) = (opener.clone(), dispatch.clone());
    use_effect_with((), move |()| {
        if let Some((source, route)) = saved::profile() {
            if address::route() == Route::default() {
                dispatch.emit(Action::Route(Box::new(route)));
            }
            opener.open(vec![source]);
            return;
        }
        if let Some(url) = address::url() {
            let name = url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let name = if name.is_empty() { url.clone() } else { name.to_owned() };
            opener.open(vec![Source { name, from: From::Url(url) }]);
            return;
        }
        wasm_bindgen_futures::spawn_local(async move {
            let served = load::served().await;
            dispatch.emit(Action::Served(served.profiles.clone().into()));
            // Whoever dropped a file before the list came wants to see that file.
            if opener.next.get() == 0 {
                opener.open_as(first_of(&served, &address::route()));
            }
        });
    });
}
