// What speedscope's own importer makes of files: `node speedscope.mjs PACKAGE FILE…` prints a line of JSON for each: of its
// profiles, the name, the unit, the total weight, and what frames of a name weigh themselves.
//
// The package holds the bundle of the page alone. It is run without a page: it defines its importer before it draws, and
// that it cannot draw is no matter.
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import vm from 'node:vm';

const [dir, ...files] = process.argv.slice(2);
const release = join(dir, 'dist/release');
const bundle = readdirSync(release).find(name => /^speedscope-\w+\.js$/.test(name));
const source = readFileSync(join(release, bundle), 'utf8');

// The module of the importer is made by a call with its exports' names; it is handed out there.
const exports_ = /([\w$]+\(([\w$]+),\{)(importFromFileSystemDirectoryEntry:)/;
if (!exports_.test(source)) throw new Error(`${bundle} has no importer where it should`);
const patched = source.replace(exports_, 'globalThis.importer=$2;$1$3');

const nothing = new Proxy(function () {}, { get: (_, key) => (key === Symbol.toPrimitive ? () => '' : nothing), apply: () => nothing });
const context = { console: { log() {}, warn() {}, error() {} }, document: nothing, navigator: nothing, location: { hash: '', protocol: 'file:' },
    TextDecoder, TextEncoder, Uint8Array, ArrayBuffer, setTimeout, clearTimeout, performance, URL };
context.window = context.self = context;
try {
    vm.runInNewContext(patched, context);
} catch (error) {
    if (!context.importer) throw new Error(error.message); // its stack would quote the whole bundle
}
await new Promise(resolve => setTimeout(resolve));

for (const file of files) {
    const bytes = readFileSync(file);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const group = await context.importer.importProfilesFromArrayBuffer(basename(file), buffer);
    const profiles = group.profiles.map(profile => {
        const selfWeights = {};
        profile.forEachFrame(frame => {
            selfWeights[frame.name] = (selfWeights[frame.name] ?? 0) + frame.getSelfWeight();
        });
        return { name: profile.getName(), unit: profile.getWeightUnit(), total: profile.getTotalWeight(), selfWeights };
    });
    console.log(JSON.stringify({ shown: group.indexToView, profiles }));
}
