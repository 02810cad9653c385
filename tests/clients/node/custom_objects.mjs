// CustomObjectsApi and KubernetesObjectApi: every verb, and what each takes a patch for.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { connect, environment, place, status } from './environments.mjs';

const config = connect();
const api = config.makeApiClient(k8s.CustomObjectsApi);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);

const merge = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);
const name = 'web';
const names = (list) => list.items.map((item) => item.metadata.name);

beforeEach(() => api.deleteCollectionNamespacedCustomObject(place));

test('an object is made, read, replaced and removed', async () => {
  const made = await api.createNamespacedCustomObject({ ...place, body: environment(name) });
  assert.equal(made.metadata.generation, 1);
  const again = api.createNamespacedCustomObject({ ...place, body: environment(name) });
  await assert.rejects(again, (error) => error.code === 409 && status(error).reason === 'AlreadyExists');

  const read = await api.getNamespacedCustomObject({ ...place, name });
  read.spec.suspend = true;
  const replaced = await api.replaceNamespacedCustomObject({ ...place, name, body: read });
  assert.equal(replaced.metadata.generation, 2);
  made.spec.suspend = false;
  const stale = api.replaceNamespacedCustomObject({ ...place, name, body: made });
  await assert.rejects(stale, (error) => error.code === 409 && status(error).reason === 'Conflict');

  const gone = await api.deleteNamespacedCustomObject({ ...place, name });
  assert.equal(gone.details.uid, made.metadata.uid);
  await assert.rejects(api.getNamespacedCustomObject({ ...place, name }), { code: 404 });
});

test('a patch without a type is a JSON patch', async () => {
  await api.createNamespacedCustomObject({ ...place, body: environment(name) });
  const body = [
    { op: 'test', path: '/metadata/finalizers', value: null },
    { op: 'replace', path: '/spec/variables/LOG_LEVEL', value: 'debug' },
  ];
  const patched = await api.patchNamespacedCustomObject({ ...place, name, body });
  assert.equal(patched.spec.variables.LOG_LEVEL, 'debug');
  const failing = [{ op: 'test', path: '/spec/variables/LOG_LEVEL', value: 'info' }];
  await assert.rejects(api.patchNamespacedCustomObject({ ...place, name, body: failing }), { code: 422 });
  const mistaken = api.patchNamespacedCustomObject({ ...place, name, body: { spec: { suspend: true } } });
  await assert.rejects(mistaken, { code: 400 });
});

test('a merge patch is asked for by its header', async () => {
  await api.createNamespacedCustomObject({ ...place, body: environment(name) });
  const body = { spec: { variables: { LOG_LEVEL: null, REGION: 'eu' } } };
  const patched = await api.patchNamespacedCustomObject({ ...place, name, body }, merge);
  assert.deepEqual(patched.spec.variables, { REGION: 'eu' });
});

test('status is written through its own door', async () => {
  await api.createNamespacedCustomObject({ ...place, body: environment(name) });
  const body = { status: { observedGeneration: 1 } };
  const written = await api.patchNamespacedCustomObjectStatus({ ...place, name, body }, merge);
  assert.equal(written.status.observedGeneration, 1);
  assert.equal(written.metadata.generation, 1);
  const ignored = await api.patchNamespacedCustomObject({ ...place, name, body: { status: null } }, merge);
  assert.equal(ignored.status.observedGeneration, 1);
});

test('lists are paged and selected', async () => {
  for (const number of [0, 1, 2, 3, 4]) {
    const tier = number % 2 === 0 ? 'even' : 'odd';
    await api.createNamespacedCustomObject({ ...place, body: environment(`e${number}`, { tier }) });
  }
  const seen = [];
  let _continue;
  do {
    const page = await api.listNamespacedCustomObject({ ...place, limit: 2, _continue });
    seen.push(...names(page));
    _continue = page.metadata.continue;
  } while (_continue);
  assert.deepEqual(seen, ['e0', 'e1', 'e2', 'e3', 'e4']);
  const odd = await api.listNamespacedCustomObject({ ...place, labelSelector: 'tier=odd' });
  assert.deepEqual(names(odd), ['e1', 'e3']);
  const one = await api.listNamespacedCustomObject({ ...place, fieldSelector: 'metadata.name=e2' });
  assert.deepEqual(names(one), ['e2']);
});

test('the generic object API needs no group and applies on the server', async () => {
  const made = await objects.create(environment(name));
  assert.equal((await objects.read(made)).metadata.uid, made.metadata.uid);
  // Its default is the strategic patch, which kinds of one's own do not have.
  const change = { ...environment(name), spec: { suspend: true } };
  await assert.rejects(objects.patch(change), { code: 415 });
  const patch = (body, manager, force) =>
    objects.patch(body, undefined, undefined, manager, force, k8s.PatchStrategy.ServerSideApply);
  await objects.patch(change, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch);
  const applied = await patch(environment(name), 'javascript', true);
  const owner = applied.metadata.managedFields.find((entry) => entry.manager === 'javascript');
  assert.equal(owner.operation, 'Apply');
  const other = environment(name);
  other.spec.variables.LOG_LEVEL = 'debug';
  await assert.rejects(patch(other, 'another'), (error) => status(error).message.includes('"javascript"'));
  assert.deepEqual(names(await objects.list('mirage.dev/v1alpha1', 'Environment', 'default')), [name]);
  await objects.delete(made);
  await assert.rejects(objects.read(made), { code: 404 });
});

test('what does not fit the schema names every field', async () => {
  const wrong = environment(name);
  wrong.spec.suspend = 'perhaps';
  wrong.spec.services.web.source.image = 7;
  await assert.rejects(objects.create(wrong), (error) => {
    const fields = status(error).details.causes.map((cause) => cause.field);
    return error.code === 422 && fields.includes('spec.suspend') && fields.length === 2;
  });
});

test('the typed APIs read the kinds around ours', async () => {
  const core = config.makeApiClient(k8s.CoreV1Api);
  const namespaces = await core.listNamespace();
  assert.ok(names(namespaces).includes('default'));
  const body = { metadata: { generateName: 'key-' }, stringData: { key: 'value' } };
  const secret = await core.createNamespacedSecret({ namespace: 'default', body });
  assert.equal(Buffer.from(secret.data.key, 'base64').toString(), 'value');
  await core.deleteNamespacedSecret({ namespace: 'default', name: secret.metadata.name });
  const involvedObject = { kind: 'Environment', namespace: 'default', name };
  const news = { metadata: { generateName: 'web.' }, involvedObject, reason: 'Noted', message: 'by JavaScript' };
  await core.createNamespacedEvent({ namespace: 'default', body: news });
  const [event] = (await core.listEventForAllNamespaces()).items;
  assert.equal(event.message, 'by JavaScript');
  const review = await config
    .makeApiClient(k8s.AuthorizationV1Api)
    .createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'list', group: 'mirage.dev', resource: 'environments' } } },
    });
  assert.equal(review.status.allowed, true);
  const renewTime = new k8s.V1MicroTime();
  const lease = { metadata: { generateName: 'leader-' }, spec: { holderIdentity: 'a', renewTime } };
  const leases = config.makeApiClient(k8s.CoordinationV1Api);
  const made = await leases.createNamespacedLease({ namespace: 'default', body: lease });
  assert.equal(new Date(made.spec.renewTime).getTime(), renewTime.getTime());
  assert.equal((await config.makeApiClient(k8s.VersionApi).getCode()).major, '1');
});
