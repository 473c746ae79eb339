// The sizes of a folder's files, raw and compressed as hard as web servers do in advance, as a line of JSON.
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { brotliCompressSync, constants, gzipSync } = require("node:zlib");

const dir = process.argv[1];
const sizes = readdirSync(dir).map((name) => {
  const bytes = readFileSync(join(dir, name));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const [gzip, brotli] = [gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes, { params })];
  return { name, raw: bytes.length, gzip: gzip.length, brotli: brotli.length };
});
console.log(JSON.stringify(sizes));
