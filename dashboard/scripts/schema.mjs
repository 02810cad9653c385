// Takes the snapshot in `schema/` anew from a running server:
//   MIRAGE_URL=http://127.0.0.1:7171 MIRAGE_TOKEN_FILE=../.mirage/admin.token npm run schema
import { readFile, writeFile } from 'node:fs/promises';

const server = process.env.MIRAGE_URL ?? 'http://127.0.0.1:7171';
const token = (await readFile(process.env.MIRAGE_TOKEN_FILE ?? '../.mirage/admin.token', 'utf8')).trim();

async function document(path) {
  const answer = await fetch(`${server}${path}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function keep(name, contents) {
  await writeFile(new URL(`../schema/${name}.json`, import.meta.url), `${JSON.stringify(contents, null, 2)}\n`);
}

for (const groupVersion of ['mirage.dev/v1alpha1', 'auth.mirage.dev/v1alpha1', 'events.k8s.io/v1']) {
  await keep(groupVersion.replace('/', '_'), await document(`/openapi/v3/apis/${groupVersion}`));
}
// Of Mirage's own API the types are enough.
const { openapi, info, components } = await document('/api/v1/openapi.json');
await keep('product', { openapi, info, components: { schemas: components.schemas } });
