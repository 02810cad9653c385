// Watch: from a version on, with a selector, to the end that the server sets, and from a version that is forgotten.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import * as k8s from '@kubernetes/client-node';
import { connect, environment, path, place } from './environments.mjs';

const config = connect();
const api = config.makeApiClient(k8s.CustomObjectsApi);
const merge = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Everything that a watch tells until the server ends it. */
async function told(query) {
  const events = [];
  await new Promise((resolve, reject) => {
    const end = (error) => (error ? reject(error) : resolve());
    new k8s.Watch(config).watch(path, query, (type, object) => events.push([type, object]), end);
  });
  return events;
}
const named = (events) => events.map(([type, object]) => `${type} ${object.metadata.name}`);
const version = async () => (await api.listNamespacedCustomObject(place)).metadata.resourceVersion;

const from = await version();
await api.createNamespacedCustomObject({ ...place, body: environment('web', { tier: 'back' }) });
for (const tier of ['front', 'back']) {
  const body = { metadata: { labels: { tier } } };
  await api.patchNamespacedCustomObject({ ...place, name: 'web', body }, merge);
}
await api.deleteNamespacedCustomObject({ ...place, name: 'web' });

const all = await told({ resourceVersion: from, timeoutSeconds: 1 });
assert.deepEqual(named(all), ['ADDED web', 'MODIFIED web', 'MODIFIED web', 'DELETED web']);
const versions = all.map(([, object]) => Number(object.metadata.resourceVersion));
assert.deepEqual(versions, [...versions].sort((a, b) => a - b));

const selected = await told({ resourceVersion: from, timeoutSeconds: 1, labelSelector: 'tier=front' });
assert.deepEqual(named(selected), ['ADDED web', 'DELETED web']);

const marked = await told({ resourceVersion: from, timeoutSeconds: 1, allowWatchBookmarks: true });
assert.equal(marked.at(-1)[0], 'BOOKMARK');

console.log('please forget');
await answers.next();
const [[type, gone]] = await told({ resourceVersion: from, timeoutSeconds: 1 });
assert.deepEqual([type, gone.code, gone.reason], ['ERROR', 410, 'Expired']);
await assert.rejects(told({ resourceVersion: '9000000000' }), { statusCode: 410 });
process.exit(0);
