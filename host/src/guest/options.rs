//! The flags that describe the guest and its world, named as `wasmtime run` names them.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context;
use wasmtime::{Cache, Config};
use wasmtime_cli_flags::CommonOptions;

use crate::sample;

/// What to run and what it may see.
#[derive(clap::Args)]
pub struct GuestOptions {
    /// `-O`, `-C`, `-D`, `-W` and `-S`, read by wasmtime's own code.
    #[command(flatten)]
    pub common: CommonOptions,

    /// Give the guest a directory of the host, under its own name or as GUEST.
    #[arg(long = "dir", value_name = "HOST[::GUEST]", value_parser = parse_dir)]
    pub dirs: Vec<(String, String)>,

    /// Set a variable of the guest's environment; without a value, pass on the host's.
    #[arg(long = "env", value_name = "NAME[=VALUE]", value_parser = parse_env)]
    pub env: Vec<(String, Option<String>)>,

    /// What the guest sees as its own name; the module's file name by default.
    #[arg(long, value_name = "NAME")]
    pub argv0: Option<String>,

    /// Call this export instead of `_start`; ARGS are then its arguments. `_initialize` is called first.
    #[arg(long, value_name = "FUNCTION")]
    pub invoke: Option<String>,

    /// The module or component, binary or text, and what to pass to it.
    #[arg(value_name = "WASM", trailing_var_arg = true, required = true)]
    pub module_and_args: Vec<OsString>,
}

impl std::fmt::Debug for GuestOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestOptions").field("module_and_args", &self.module_and_args).finish_non_exhaustive()
    }
}

impl GuestOptions {
    /// The module's path.
    #[must_use]
    pub fn module(&self) -> &Path {
        // clap requires one value.
        self.module_and_args.first().map_or(Path::new(""), Path::new)
    }

    /// What follows the module on the command line.
    #[must_use]
    pub fn args(&self) -> &[OsString] {
        self.module_and_args.get(1..).unwrap_or_default()
    }

    /// The engine's settings: the user's, and what sampling needs; and the compile cache they use. Epoch interruption is off.
    ///
    /// # Errors
    ///
    /// When an option has no meaning here or contradicts another.
    pub fn engine_config(&mut self) -> anyhow::Result<(Config, Option<Cache>)> {
        let mut config = self.common.config(None)?;
        self.refuse_unsupported()?;
        config.epoch_interruption(false);
        // For guests with threads; to the others it makes no difference.
        config.shared_memory(self.common.wasm.shared_memory != Some(false));
        config.generate_address_map(true);
        config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
        config.wasm_backtrace_max_frames(Some(sample::backtrace_bound()));
        // For `perf record`, to which compiled code has no names otherwise; the bench compares with it.
        if std::env::var_os("WPROF_PERF_MAP").is_some() {
            config.profiler(wasmtime::ProfilingStrategy::PerfMap);
        }
        let cache = self.cache()?;
        config.cache(cache.clone());
        Ok((config, cache))
    }

    /// Compiled code is kept between runs, where wasmtime's own command line keeps it. wprof opens the cache itself
    /// to be able to say whether it was hit.
    fn cache(&self) -> anyhow::Result<Option<Cache>> {
        if self.common.codegen.cache == Some(false) {
            return Ok(None);
        }
        let config = self.common.codegen.cache_config.as_ref().map(Path::new);
        let cache = Cache::from_file(config).map_err(anyhow::Error::from);
        Ok(Some(cache.context("failed to open the compile cache; -C cache=n does without")?))
    }

    /// Stack that the guest's thread needs: wasm's share and as much again as a process usually has for the host.
    #[must_use]
    pub fn thread_stack(&self) -> usize {
        const HOST_SHARE: usize = 8 << 20;
        const WASM_DEFAULT: usize = 512 << 10;
        self.common.wasm.max_wasm_stack.unwrap_or(WASM_DEFAULT).saturating_add(HOST_SHARE)
    }

    /// Options of wasmtime's that wprof would have to ignore.
    fn refuse_unsupported(&self) -> anyhow::Result<()> {
        let (wasi, wasm) = (&self.common.wasi, &self.common.wasm);
        let refused = [
            ("-S nn", wasi.nn == Some(true)),
            ("-S http", wasi.http == Some(true)),
            ("-S config", wasi.config == Some(true)),
            ("-S keyvalue", wasi.keyvalue == Some(true)),
            ("-S tls", wasi.tls == Some(true)),
            ("-S listenfd", wasi.listenfd == Some(true)),
            ("-S tcplisten", !wasi.tcplisten.is_empty()),
            ("-D coredump", self.common.debug.coredump.is_some()),
            ("-D debugger", self.common.debug.debugger.is_some()),
            ("-D address-map=n (offsets are what samples are made of)", self.common.debug.address_map == Some(false)),
            ("-W epoch-interruption (--sampler says whether it is used)", wasm.epoch_interruption.is_some()),
            ("-W timeout (use --timeout)", wasm.timeout.is_some()),
            ("--target (wprof runs what it compiles)", self.common.target.is_some()),
        ];
        match refused.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(anyhow::anyhow!("{name} is not supported by wprof run")),
            None => Ok(()),
        }
    }
}

/// Reads the value of a variable that is passed on.
pub(super) fn inherited(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var_os(name) {
        None => Ok(None),
        Some(value) => value
            .into_string()
            .map(Some)
            .map_err(|_not_utf8| anyhow::anyhow!("not UTF-8"))
            .with_context(|| format!("environment variable {name}")),
    }
}

fn parse_dir(text: &str) -> Result<(String, String), std::convert::Infallible> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    Ok((host.to_owned(), guest.to_owned()))
}

fn parse_env(text: &str) -> Result<(String, Option<String>), std::convert::Infallible> {
    Ok(match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    })
}
