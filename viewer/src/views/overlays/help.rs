//! The list of keys.

use yew::prelude::*;

use crate::keys;
use crate::route::View;

pub(super) fn help() -> Html {
    let views = View::ALL.into_iter().map(|view| ("Views", view.key().to_string(), view.title()));
    let others = keys::LIST.into_iter().map(|(group, key, effect)| (group, key.to_owned(), effect));
    let all: Vec<(&str, String, &str)> = others.chain(views).collect();
    let mut groups: Vec<&str> = all.iter().map(|it| it.0).collect();
    groups.dedup();
    let row = |(_, key, effect): &(&str, String, &str)| {
        html! { <tr><th scope="row"><kbd>{ key }</kbd></th><td>{ *effect }</td></tr> }
    };
    let group = |name: &str| {
        let rows = all.iter().filter(|it| it.0 == name).map(row);
        html! {
            <table class="keys">
                <caption>{ name.to_owned() }</caption>
                <tbody>{ for rows }</tbody>
            </table>
        }
    };
    html! { <div class="keys-columns">{ for groups.into_iter().map(group) }</div> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::render;

    #[component]
    fn Shown() -> Html {
        help()
    }

    #[test]
    fn every_view_and_every_group_is_listed_once() {
        let html = render::<Shown>(|| ());
        for view in View::ALL {
            assert!(html.contains(&format!("<td>{}</td>", view.title())), "{html}");
        }
        assert_eq!(html.matches("<caption>Everywhere</caption>").count(), 1, "{html}");
    }
}
