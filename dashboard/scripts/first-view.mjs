// What a browser must load before it shows the first room: every script and style that `index.html` reaches without a
// lazy import, compressed. More than this is refused, so that the first view stays quick on a slow line.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT = 250_000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('manifest.json', dist), 'utf8'));

const wanted = new Set();
function reach(name) {
  const chunk = manifest[name];
  if (!chunk || wanted.has(chunk.file)) return;
  wanted.add(chunk.file);
  for (const style of chunk.css ?? []) wanted.add(style);
  for (const next of chunk.imports ?? []) reach(next);
}
reach('index.html');
// The first room itself is a lazy import of the router.
reach('src/environments/route.tsx');

let total = 0;
for (const file of wanted) total += gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length;
const line = `first view: ${(total / 1000).toFixed(1)} kB compressed in ${wanted.size} files (limit ${LIMIT / 1000} kB)`;
if (total > LIMIT) {
  console.error(`${line}\nMove what the first room does not need behind a lazy import.`);
  process.exit(1);
}
console.log(line);
