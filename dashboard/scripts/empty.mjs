// Empties `dist/` before a build, except for the README that keeps the folder in the repository.
import { readdir, rm } from 'node:fs/promises';

const dist = new URL('../dist/', import.meta.url);
for (const name of await readdir(dist).catch(() => [])) {
  if (name !== 'README.md') await rm(new URL(name, dist), { recursive: true });
}
