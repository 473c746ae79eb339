// Put into a page under measure, ours or speedscope's: it drops the file that `#bench-input` holds, and keeps what it sees.
// Times are milliseconds of performance.now().
const bench = (window.bench = { longTasks: [] });
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) bench.longTasks.push({ startTime, duration });
}).observe({ type: "longtask", buffered: true });

const input = document.createElement("input");
input.type = "file";
input.id = "bench-input";
document.documentElement.append(input);

const frame = () => new Promise(requestAnimationFrame);
const pause = (millis) => new Promise((done) => setTimeout(done, millis));
const find = (id) => document.querySelector(`[data-testid=${id}]`);

// A WebGL canvas from the start is speedscope's; its charts are drawn on more of them.
const nCanvases = document.querySelectorAll("canvas").length;

bench.drop = () => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(input.files[0]);
  bench.dropped = performance.now();
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
  }
};

const hasDrawnFlames = () => {
  const canvas = find("flame-canvas");
  if (!canvas || canvas.width < 100 || canvas.height < 20) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 10, 64, 1);
  return data.some((byte) => byte !== 0);
};

// For a viewer that sets no marks: looks at every frame until there is a flame graph, then until there is a table.
bench.watch = async () => {
  while (!hasDrawnFlames()) await frame();
  bench.drawn = performance.now();
  while (!document.querySelector(".top-row")) await frame();
  bench.listed = performance.now();
};

// speedscope looks for directory entries in what is dropped, which a script cannot make: its own choice of files it is.
addEventListener("change", (event) => event.target.id === "file" && (bench.dropped = performance.now()), true);

bench.watchSpeedscope = async () => {
  while (document.querySelectorAll("canvas").length <= nCanvases) await frame();
  await frame();
  bench.drawn = bench.listed = performance.now();
};

const mark = (name) => performance.getEntriesByName(name, "mark")[0]?.startTime;

const failure = () => {
  const page = document.querySelector("[data-phase=failed]");
  const isTheirs = nCanvases > 0 && document.body.textContent.includes("Something went wrong");
  return page?.innerText ?? (isTheirs ? "speedscope says that something went wrong" : null);
};

bench.seen = () => {
  const start = mark("wprof-drop") ?? bench.dropped;
  const isMarked = mark("wprof-drop") !== undefined;
  const since = (time) => (time === undefined ? null : time - start);
  const end = isMarked ? mark("wprof-complete") : bench.listed;
  const tasks = bench.longTasks.filter((it) => it.startTime >= bench.dropped && !(it.startTime > end));
  return {
    isMarked,
    failure: failure(),
    firstPaint: since(isMarked ? mark("wprof-first-paint") : bench.drawn),
    painted: since(isMarked ? mark("wprof-painted") : bench.drawn),
    complete: since(end),
    nLongTasks: tasks.length,
    longestTask: Math.max(0, ...tasks.map((it) => it.duration)),
  };
};

// What an act costs until the second frame after it. It comes at any moment between two frames, as a hand's does.
const twoFrames = async (act) => {
  await pause(40 + Math.random() * 16);
  const start = performance.now();
  act();
  await frame();
  await frame();
  return performance.now() - start;
};

const mouse = (kind, target, clientX, clientY) =>
  target.dispatchEvent(new MouseEvent(kind, { bubbles: true, cancelable: true, view: window, clientX, clientY }));

// The middle of a row of the flame graph, at a share of its width.
const at = (share, row) => {
  const stage = find("flame-graph").getBoundingClientRect();
  return [stage.left + stage.width * share, stage.top + 18 * row + 9];
};

const type = (text) => {
  const search = find("search");
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(search, text);
  search.dispatchEvent(new Event("input", { bubbles: true }));
};

// Until the share of what is found changes, or null if it does not within two seconds.
const searchFor = async (text) => {
  await pause(40 + Math.random() * 16);
  const before = find("matched").textContent;
  const start = performance.now();
  type(text);
  while (performance.now() < start + 2000) {
    await Promise.race([frame(), pause(4)]);
    if (find("matched").textContent !== before) return performance.now() - start;
  }
  return null;
};

bench.interact = async (n) => {
  const stage = find("flame-graph");
  const [floor, hover, zoom, search] = [[], [], [], []];
  let nCards = 0;
  let nZooms = 0;
  for (let idx = 0; idx < n; idx++) {
    floor.push(await twoFrames(() => mouse("mousemove", document.documentElement, 2, 2)));
    const before = find("card")?.textContent;
    hover.push(await twoFrames(() => mouse("mousemove", stage, ...at(0.1 + (0.8 * ((idx * 7) % n)) / n, 1 + (idx % 6)))));
    nCards += find("card")?.textContent !== before;
  }
  for (let idx = 0; idx < n; idx++) {
    zoom.push(await twoFrames(() => mouse("click", stage, ...at(0.15 + (0.6 * idx) / n, 4 + (idx % 4)))));
    await pause(300);
    nZooms += find("zoom-reset") !== null;
    find("zoom-reset")?.click();
    await pause(300);
  }
  for (let idx = 0; idx < n; idx++) search.push(await searchFor(`function_${idx + 1}`));
  bench.interactions = { floor, hover, zoom, search: search.filter((it) => it !== null), nCards, nZooms };
};
