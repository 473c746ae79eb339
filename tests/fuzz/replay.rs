//! Replays the corpus: the seeds, and all that a fuzzer found once.

use std::fs;
use std::path::Path;

use crate::TARGETS;

#[test]
fn nothing_in_the_corpus_breaks_a_law() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in TARGETS {
        let folder = corpus.join(name);
        let mut n_files = 0;
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let bytes = fs::read(entry.path()).unwrap();
            let broken = std::panic::catch_unwind(|| target(&bytes)).is_err();
            assert!(!broken, "{} breaks target {name}", entry.path().display());
            n_files += 1;
        }
        assert!(3 <= n_files, "{} has only {n_files} files", folder.display());
    }
}

#[test]
fn every_folder_of_the_corpus_has_a_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in fs::read_dir(corpus).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(crate::target(&name).is_some(), "corpus/{name} is of no target");
    }
}
