//! The page at `/debug/pprof/`: which profiles there are.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::answer::{HTML, Refusal};
use super::guests::counts;
use super::{Asked, Debug};

/// What each is, by its name. Those of a guest's own have no description.
const DESCRIPTIONS: [(&str, &str); 11] = [
    ("allocs", "All memory that was allocated, by who asked for it."),
    ("block", "Where the guest waited: in host calls, and for its locks."),
    ("cmdline", "The module and its arguments."),
    ("goroutine", "The stacks of all that runs or waits in the guest."),
    ("heap", "Memory that is in use now. Go's gc=1 is accepted and does nothing here: guests free what they free."),
    ("memory", "Which calls made linear memory grow."),
    ("mutex", "Who held locks that others waited for."),
    ("peak", "Memory that was in use when most was."),
    ("profile", "CPU time. How long it is looked at can be said by the parameter seconds, 30 by default."),
    ("symbol", "The names of the functions at given addresses."),
    ("threadcreate", "Where threads were started."),
];

/// What is served beside the profiles by name.
const OTHERS: [&str; 3] = ["cmdline", "profile", "symbol"];

pub(super) async fn index(debug: &Debug, asked: &Asked) -> Result<Response, Refusal> {
    let guest = asked.params.get("guest");
    let guests = debug.guests.select(guest)?;
    let mut rows = debug.work.run(move || counts(&guests)).await?;
    rows.retain(|(name, _)| !OTHERS.contains(&name.as_str()));
    rows.extend(OTHERS.map(|name| (name.to_owned(), 0)));
    rows.sort_unstable();
    let page = page(&rows, &debug.guests.ids(), guest);
    Ok(([(header::CONTENT_TYPE, HTML)], page).into_response())
}

/// The page. `ids` are of all guests, `guest` is the one that it is about.
fn page(rows: &[(String, usize)], ids: &[String], guest: Option<&str>) -> String {
    let row = |(name, count): &(String, usize)| {
        let link = link(name, if OTHERS.contains(&name.as_str()) { None } else { Some(1) }, guest);
        format!("<tr><td>{count}</td><td><a href=\"{link}\">{}</a></td></tr>\n", escaped(name))
    };
    let table: String = rows.iter().map(row).collect();
    let has = |name: &str| rows.iter().any(|(own, _)| own == name);
    let stacks = match has("goroutine") {
        true => format!("<p><a href=\"{}\">full goroutine stack dump</a></p>\n", link("goroutine", Some(2), guest)),
        false => String::new(),
    };
    let described = DESCRIPTIONS.iter().filter(|(name, _)| has(name));
    let list: String = described.map(|(name, what)| format!("<dt>{name}</dt><dd>{what}</dd>\n")).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>/debug/pprof/</title></head>\n<body>\n\
         <h1>/debug/pprof/</h1>\n{}\
         <p>The parameter debug=1 gives a profile as text; without it, it is a file for pprof and for wprof.</p>\n\
         <table>\n<thead><tr><th>Count</th><th>Profile</th></tr></thead>\n{table}</table>\n{stacks}\
         <h2>What they are</h2>\n<dl>\n{list}</dl>\n</body>\n</html>\n",
        choice(ids, guest)
    )
}

/// Which guests there are, where there are several.
fn choice(ids: &[String], guest: Option<&str>) -> String {
    if ids.len() < 2 {
        return String::new();
    }
    let link = |id: &String| match guest == Some(id.as_str()) {
        true => format!(" <b>{}</b>", escaped(id)),
        false => format!(" <a href=\"?guest={}\">{}</a>", encoded(id), escaped(id)),
    };
    let links: String = ids.iter().map(link).collect();
    format!("<p>Of <a href=\".\">all guests</a>, or of one:{links}</p>\n")
}

/// Where a profile is, seen from this page.
fn link(name: &str, debug: Option<i32>, guest: Option<&str>) -> String {
    let debug = debug.map(|debug| format!("debug={debug}"));
    let guest = guest.map(|guest| format!("guest={}", encoded(guest)));
    let params: Vec<String> = debug.into_iter().chain(guest).collect();
    let mark = if params.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", encoded(name), params.join("&amp;"))
}

/// For a part of a URL.
fn encoded(text: &str) -> String {
    // In a path `+` is no space.
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// For text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        let rows = [("<b>&\"'+/é".to_owned(), 3), ("goroutine".to_owned(), 1), ("profile".to_owned(), 0)];
        let page = page(&rows, &["a".to_owned(), "<i>".to_owned()], Some("<i>"));
        let row = "<tr><td>3</td><td><a href=\"%3Cb%3E%26%22%27%2B%2F%C3%A9?debug=1&amp;guest=%3Ci%3E\">\
                   &lt;b&gt;&amp;&quot;&#39;+/é</a></td></tr>";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("<a href=\"profile?guest=%3Ci%3E\">"), "{page}");
        assert!(page.contains("<a href=\"goroutine?debug=2&amp;guest=%3Ci%3E\">"), "{page}");
        assert!(page.contains("<a href=\"?guest=a\">a</a> <b>&lt;i&gt;</b>"), "{page}");
    }

    #[test]
    fn what_is_not_there_is_not_described() {
        let page = page(&[("heap".to_owned(), 1)], &["one".to_owned()], None);
        assert!(page.contains("<a href=\"heap?debug=1\">") && page.contains("gc=1"), "{page}");
        assert!(!page.contains("goroutine") && !page.contains("guest="), "{page}");
    }
}
