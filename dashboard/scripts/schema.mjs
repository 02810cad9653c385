// Takes the snapshot in `schema/` anew from a running server:
//   MIRAGE_URL=http://127.0.0.1:7171 MIRAGE_TOKEN_FILE=../.mirage/admin.token npm run schema
import { readFile, writeFile } from 'node:fs/promises';

const server = process.env.MIRAGE_URL ?? 'http://127.0.0.1:7171';
const token = (await readFile(process.env.MIRAGE_TOKEN_FILE ?? '../.mirage/admin.token', 'utf8')).trim();

for (const groupVersion of ['mirage.dev/v1alpha1', 'auth.mirage.dev/v1alpha1', 'events.k8s.io/v1']) {
  const answer = await fetch(`${server}/openapi/v3/apis/${groupVersion}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
  });
  if (!answer.ok) throw new Error(`${groupVersion}: ${answer.status} ${await answer.text()}`);
  const text = JSON.stringify(await answer.json(), null, 2);
  await writeFile(new URL(`../schema/${groupVersion.replace('/', '_')}.json`, import.meta.url), `${text}\n`);
}
