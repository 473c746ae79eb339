// Starts the viewer in a page that it saved: all parts are in the page, in elements that are only data.
const text = (id) => document.getElementById(id).textContent;
const packed = text("wprof-wasm");
const unpack = async (packed) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};
const code = text("wprof-code");
// The worker is the same code, which starts itself; the viewer looks here for its address. On a page from disk browsers
// start workers from data only, which can reach nothing else, so that it has the wasm in it.
const worker = `${code}\n__wbg_init({ module_or_path: await (${unpack})("${packed}") });`;
globalThis.wprofWorker = `data:text/javascript,${encodeURIComponent(worker)}`;
const { default: start } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
start({ module_or_path: await unpack(packed) });
