//! The module that a profile's mapping names, found on this machine.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use symbols::build_id;

use crate::said::go_error;

/// Offsets in larger modules do not fit wasmtime's, in bytes.
const MAX_SIZE: u64 = u32::MAX as u64;

/// A module or component, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Where it was found.
    pub path: PathBuf,
    /// Its binary form; offsets in profiles count from its begin.
    pub bytes: Vec<u8>,
    /// As [`build_id`] has it.
    pub build_id: String,
}

/// Why there is no module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoModule {
    /// The file cannot be read.
    #[error("open {}: {}", path.display(), go_error(error))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is something else, a native binary most likely.
    #[error("{}: not a WebAssembly module", path.display())]
    NotWasm {
        /// The file.
        path: PathBuf,
    },
    /// The file is another build.
    #[error("{}: build ID mismatch ({found}, but the profile is of {expected})", path.display())]
    OtherBuild {
        /// The file.
        path: PathBuf,
        /// Its build id.
        found: String,
        /// The profile's.
        expected: String,
    },
}

/// Finds the module of a mapping: by its path or, as pprof does, in the folders of `PPROF_BINARY_PATH`. An empty
/// build id is not compared.
///
/// # Errors
///
/// If no such file is there, or it is no module, or another build.
pub fn find_module(filename: &str, expected_id: &str) -> Result<ModuleFile, NoModule> {
    let search_path = std::env::var_os("PPROF_BINARY_PATH").unwrap_or_default();
    find_in(std::env::split_paths(&search_path), filename, expected_id)
}

fn find_in(dirs: impl Iterator<Item = PathBuf>, filename: &str, expected_id: &str) -> Result<ModuleFile, NoModule> {
    let open = |path: PathBuf| {
        let module = read_module(&path)?;
        if expected_id.is_empty() || module.build_id == expected_id {
            return Ok(module);
        }
        Err(NoModule::OtherBuild { path, found: module.build_id, expected: expected_id.to_owned() })
    };
    let relative = Path::new(filename.trim_start_matches('/'));
    let base = relative.file_name().unwrap_or_default();
    let candidates = dirs.flat_map(|it| [it.join(expected_id).join(base), it.join(base), it.join(relative)]);
    let found = candidates.filter(|it| it.is_file()).find_map(|it| open(it).ok());
    found.map_or_else(|| open(filename.into()), Ok)
}

/// Reads a module, in binary or text form.
///
/// # Errors
///
/// If it cannot be read, or is none.
pub fn read_module(path: &Path) -> Result<ModuleFile, NoModule> {
    let bytes = read(path).map_err(|error| NoModule::Unreadable { path: path.to_owned(), error })?;
    let not_wasm = || NoModule::NotWasm { path: path.to_owned() };
    // wat takes any bytes of the binary form; what is neither is refused below.
    let bytes = wat::parse_bytes(&bytes).map(Cow::into_owned).ok().filter(|it| it.starts_with(b"\0asm"));
    let bytes = bytes.ok_or_else(not_wasm)?;
    Ok(ModuleFile { path: path.to_owned(), build_id: build_id(&bytes), bytes })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // The path is a profile's word: it must not have us wait for a pipe or read a device.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_module_is_found_by_its_path_and_build_id() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let wasm = wat::parse_str("(module (func nop))").unwrap();
        let id = build_id(&wasm);
        fs::create_dir_all(root.join("bin").join(&id)).unwrap();
        fs::write(root.join("bin").join(&id).join("named.wasm"), &wasm).unwrap();
        fs::write(root.join("bin/guest.wasm"), &wasm).unwrap();
        fs::write(root.join("guest.wat"), "(module (func nop))").unwrap();
        fs::write(root.join("native"), b"\x7fELF and so on").unwrap();
        let check = |filename: &str, expected_id: &str, expected: Result<&str, &str>| {
            let found = find_in([root.join("none"), root.join("bin")].into_iter(), filename, expected_id);
            let shown = |text: String| text.replace(root.to_str().unwrap(), "ROOT").replace(&id, "ID");
            let found = found.map(|it| shown(it.path.display().to_string())).map_err(|it| shown(it.to_string()));
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{filename} {expected_id}");
        };
        let path = |name: &str| root.join(name).display().to_string();
        check(&path("guest.wat"), &id, Ok("ROOT/guest.wat"));
        check("/srv/guest.wasm", &id, Ok("ROOT/bin/guest.wasm"));
        check("/srv/guest.wasm", "", Ok("ROOT/bin/guest.wasm"));
        check("named.wasm", &id, Ok("ROOT/bin/ID/named.wasm"));
        check("/srv/gone.wasm", "", Err("open /srv/gone.wasm: no such file or directory"));
        check(&path("native"), "", Err("ROOT/native: not a WebAssembly module"));
        check(&path("bin"), "", Err("open ROOT/bin: not a file"));
        let other = "ROOT/guest.wat: build ID mismatch (ID, but the profile is of 00ff)";
        check(&path("guest.wat"), "00ff", Err(other));
    }
}
