// Writes TypeScript types from the snapshots in `schema/`, so that none is written by hand: of the kinds, and of what
// `/api/v1` takes and gives. Paths are left out: Kubernetes' are all alike, and `src/api/` says each once.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

const folder = new URL('../schema/', import.meta.url);
const target = new URL('../src/api/generated/', import.meta.url);

await mkdir(target, { recursive: true });
for (const file of await readdir(folder)) {
  const { openapi: version, info, components } = JSON.parse(await readFile(new URL(file, folder), 'utf8'));
  const types = astToString(await openapi({ openapi: version, info, paths: {}, components }));
  await writeFile(new URL(file.replace(/\.json$/, '.d.ts'), target), types);
}
