import type { KubernetesObject } from './kinds';
import { open, request } from './request';
import { collectionPath, objectPath, type Resource } from './resource';

/** Under which our changes stand in `metadata.managedFields`. */
const MANAGER = 'mirage-dashboard';

const mergePatch = 'application/merge-patch+json';

/** What was stored, or would have been, and what the server remarks on it: for a dry run, the plan. */
export interface Written<T> {
  object: T;
  warnings: string[];
}

/** The texts of `Warning:` headers (RFC 9110 once had them: `299 - "text"`). */
export function warningsOf(header: string | null): string[] {
  const texts = (header ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...texts].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'));
}

async function written<T>(answer: Response): Promise<Written<T>> {
  return { object: (await answer.json()) as T, warnings: warningsOf(answer.headers.get('warning')) };
}

function query(isDryRun: boolean): string {
  const parameters = new URLSearchParams({ fieldManager: MANAGER, fieldValidation: 'Strict' });
  if (isDryRun) parameters.set('dryRun', 'All');
  return `?${parameters.toString()}`;
}

/** Makes an object. */
export async function create<T extends KubernetesObject>(
  of: Resource<T>,
  namespace: string | undefined,
  object: unknown,
  isDryRun = false,
): Promise<Written<T>> {
  const path = collectionPath(of, namespace) + query(isDryRun);
  return written(await open(path, { method: 'POST', body: object }));
}

/** Replaces an object; with the `resourceVersion` it was read at, a change by someone else in between is a conflict. */
export async function replace<T extends KubernetesObject>(
  of: Resource<T>,
  object: KubernetesObject,
  isDryRun = false,
): Promise<Written<T>> {
  const path = objectPath(of, object.metadata.name, object.metadata.namespace) + query(isDryRun);
  return written(await open(path, { method: 'PUT', body: object }));
}

/** Changes the fields that the patch names, by JSON merge patch (RFC 7386). */
export async function patch<T extends KubernetesObject>(
  of: Resource<T>,
  name: string,
  namespace: string | undefined,
  change: unknown,
): Promise<Written<T>> {
  const path = objectPath(of, name, namespace) + query(false);
  return written(await open(path, { method: 'PATCH', body: change, contentType: mergePatch }));
}

/** Asks for an object's deletion; one with finalizers goes when they are done. */
export async function remove(of: Resource<KubernetesObject>, name: string, namespace?: string): Promise<void> {
  await request(objectPath(of, name, namespace), { method: 'DELETE' });
}

/** Reads one object. */
export function read<T extends KubernetesObject>(of: Resource<T>, name: string, namespace?: string): Promise<T> {
  return request<T>(objectPath(of, name, namespace));
}
