//! The self-test, with the right layout and with wrong ones.

use wasmtime::Config;

use super::*;

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_backtrace_max_frames(Some(crate::sample::backtrace_bound()));
    Engine::new(&config).unwrap()
}

#[test]
fn it_passes_here() {
    if cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        for _ in 0..20 {
            run(&engine()).unwrap();
        }
    }
}

/// Wrong offsets, of each structure on the way, end in a reason and not in a crash.
#[test]
fn another_layout_is_refused() {
    let ours = Layout::ours();
    let engine = engine();
    let mut n_refused = 0;
    let shifts = [-64_isize, -32, -24, -16, -8, -4, 1, 4, 8, 16, 24, 32, 64, 4096, 1 << 20, isize::MAX];
    type Field = fn(&mut Layout) -> &mut usize;
    let fields: [(&str, Field); 5] = [
        ("vmctx", |it| &mut it.vmctx),
        ("store_context", |it| &mut it.store_context),
        ("exit_pc", |it| &mut it.exit_pc),
        ("exit_trampoline_fp", |it| &mut it.exit_trampoline_fp),
        ("entry_fp", |it| &mut it.entry_fp),
    ];
    for (name, field) in fields {
        for shift in shifts {
            let mut layout = ours;
            let offset = field(&mut layout);
            *offset = offset.wrapping_add_signed(shift);
            let outcome = run_with(&engine, layout);
            assert!(outcome.is_err(), "{name} moved by {shift}");
            n_refused += 1;
        }
    }
    assert_eq!(n_refused, fields.len() * shifts.len());
}
