// Compresses text once, here, and not once a visitor, by the server.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
for (const name of await readdir(dist, { recursive: true })) {
  if (!/\.(js|css|svg|html)$/.test(name)) continue;
  await writeFile(new URL(`${name}.gz`, dist), gzipSync(await readFile(new URL(name, dist)), { level: 9 }));
}
