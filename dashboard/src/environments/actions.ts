import { environments } from '~/api/resource';
import type { Environment } from '~/api/kinds';
import { patch, remove } from '~/api/write';
import { placeOf } from './facts';
import { extended } from './lifetime';

/** Everything a person does to an environment without editing it. Each is one request, and safe to repeat. */

function change(environment: Environment, what: unknown) {
  const { name, namespace } = placeOf(environment);
  return patch(environments, name, namespace, what);
}

export function suspend(environment: Environment, isSuspended: boolean) {
  // Taken away, not set to false: a template may have its own word.
  return change(environment, { spec: { suspend: isSuspended ? true : null } });
}

export function extend(environment: Environment, seconds: number) {
  return change(environment, { spec: extended(environment, seconds, new Date()).spec });
}

/** Lets exactly the plan of that hash run. */
export function approve(environment: Environment, hash: string) {
  return change(environment, { metadata: { annotations: { 'mirage.dev/approve': hash } } });
}

/** Makes Mirage go on where it stopped by itself. */
export function retry(environment: Environment) {
  return change(environment, { metadata: { annotations: { 'mirage.dev/retry': new Date().toISOString() } } });
}

export function changeSpec(environment: Environment, spec: unknown) {
  return change(environment, { spec });
}

export function destroy(environment: Environment) {
  const { name, namespace } = placeOf(environment);
  return remove(environments, name, namespace);
}
