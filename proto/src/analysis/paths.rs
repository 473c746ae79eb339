//! Source paths as reports show them. They are the recording machine's, so `std::path` has no say.

/// The last element of `path`, which is the recording machine's: `.` if it is empty, `/` if it is nothing else.
#[must_use]
pub fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let path = path.trim_end_matches('/');
    if path.is_empty() { "/" } else { path.rsplit('/').next().unwrap_or(path) }
}

/// `path` without the first of `prefixes`, separated by `:`, that it begins with. Bazel's sandbox prefix always goes.
fn trim<'a>(path: &'a str, prefixes: &str) -> &'a str {
    let given = prefixes.split(':').filter(|it| !it.is_empty());
    for prefix in given.chain(["/proc/self/cwd/./", "/proc/self/cwd/"]) {
        if let Some(rest) = path.strip_prefix(prefix) {
            if prefix.ends_with('/') {
                return rest;
            }
            if let Some(rest) = rest.strip_prefix('/') {
                return rest;
            }
        }
    }
    path
}

/// `path` without the first of `prefixes` that it begins with. Where there are none, it is guessed what to take off:
/// all up to a folder called as one of those of `search_path`, in which sources are looked for. Both are separated by
/// `:`.
#[must_use]
pub fn trim_source<'a>(path: &'a str, prefixes: &str, search_path: &str) -> &'a str {
    if prefixes.is_empty() {
        for dir in search_path.split(':').filter(|it| !it.is_empty()) {
            let folder = format!("/{}/", base(dir));
            if let Some((_, rest)) = path.split_once(&folder) {
                return rest;
            }
        }
    }
    trim(path, prefixes)
}

/// The shortest path that is lexically the same: no `.`, no `//`, `..` applied. An empty path stays empty.
#[must_use]
pub fn clean(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|it| *it != "..") => drop(parts.pop()),
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    match (is_rooted, parts.join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_lexically() {
        let cases = [
            ("", ""),
            ("a", "a"),
            ("./a//b/", "a/b"),
            ("/..", "/"),
            ("/a/../../b", "/b"),
            ("../a/..", ".."),
            ("a/..", "."),
        ];
        for (path, expected) in cases {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn what_to_trim_is_guessed_from_the_search_path() {
        let cases = [
            ("/build/app/src/main.rs", "", "/home/me/app", "src/main.rs"),
            ("/build/app/src/main.rs", "", "none:/x/src/", "main.rs"),
            ("/build/app/main.rs", "/build", "/home/me/app", "app/main.rs"),
            ("/build/app/main.rs", "", "", "/build/app/main.rs"),
            ("app/main.rs", "", "app", "app/main.rs"),
            ("/proc/self/cwd/main.rs", "", "/", "main.rs"),
        ];
        for (path, prefixes, search_path, expected) in cases {
            assert_eq!(trim_source(path, prefixes, search_path), expected, "{path} {prefixes} {search_path}");
        }
    }

    #[test]
    fn the_base_is_the_last_element() {
        for (path, expected) in [("", "."), ("/", "/"), ("/a/b.wasm", "b.wasm"), ("a/", "a"), ("[host]", "[host]")] {
            assert_eq!(base(path), expected, "{path}");
        }
    }

    #[test]
    fn prefixes_are_trimmed_at_a_slash() {
        let cases = [
            ("/build/app/main.rs", "/build/app", "main.rs"),
            ("/build/apple/main.rs", "/build/app", "/build/apple/main.rs"),
            ("/x/y", "/a:/x/", "y"),
            ("/proc/self/cwd/./z", "", "z"),
        ];
        for (path, prefixes, expected) in cases {
            assert_eq!(trim(path, prefixes), expected, "{path}");
        }
    }
}
