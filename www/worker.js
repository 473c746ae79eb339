// Starts the wasm, in the page and in the worker alike; which of the two it is in, the wasm finds out itself.
import start from "./wprof_viewer.js";

start({ module_or_path: new URL("./wprof_viewer_bg.wasm", import.meta.url) });
