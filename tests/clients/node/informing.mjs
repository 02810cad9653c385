// The informer: add, update and delete, and on through the server's death. What only the test can do is asked for in a
// line `please …`; a line comes back when it is done.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import * as k8s from '@kubernetes/client-node';
import { connect, environment, path, place } from './environments.mjs';

const config = connect();
const api = config.makeApiClient(k8s.CustomObjectsApi);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const please = async (wish) => {
  console.log(`please ${wish}`);
  await answers.next();
};

const seen = [];
let arrived = () => {};
const informer = k8s.makeInformer(config, path, () => api.listNamespacedCustomObject(place));
for (const verb of ['add', 'update', 'delete']) {
  informer.on(verb, (object) => {
    seen.push(`${verb} ${object.metadata.name}`);
    arrived();
  });
}
let failures = 0;
// An informer that met an error stands still until it is started again: its user decides when.
informer.on('error', async () => {
  failures += 1;
  await wait(50);
  informer.start();
});

/** Waits until these are all that was seen since the last time, in this order. */
async function sees(...events) {
  const patience = AbortSignal.timeout(60_000);
  while (seen.length < events.length) {
    await Promise.race([new Promise((resolve) => (arrived = resolve)), wait(60_000, null, { signal: patience })]);
  }
  assert.deepEqual(seen.splice(0), events);
}

const make = (name) => api.createNamespacedCustomObject({ ...place, body: environment(name) });
const change = (name, value) =>
  api.patchNamespacedCustomObject({ ...place, name, body: [{ op: 'add', path: '/spec/suspend', value }] });
const remove = (name) => api.deleteNamespacedCustomObject({ ...place, name });

await make('first');
await informer.start();
await sees('add first');
await make('second');
await sees('add second');
await change('first', true);
await sees('update first');
await remove('second');
await sees('delete second');

await please('kill and start again');
await change('first', false);
await make('third');
await sees('update first', 'add third');
assert.deepEqual(informer.list().map((object) => object.metadata.name), ['first', 'third']);

// While the server is dead nobody hears anything; what happened meanwhile comes after.
await please('kill and start again with a change');
await sees('add meanwhile');
await remove('first');
await sees('delete first');
assert.ok(failures > 0, 'the server was never away');
process.exit(0);
