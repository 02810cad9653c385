import { parse } from 'yaml';
import type { Environment } from '~/api/kinds';
import { environments, type Resource } from '~/api/resource';
import type { KubernetesObject } from '~/api/kinds';
import { problemOf, RequestFailed, shown } from '~/api/problem';
import { request } from '~/api/request';
import { create } from '~/api/write';

/** Values that go into a Secret of this name. */
export interface SecretDraft {
  name: string;
  values: Record<string, string>;
}

/** Namespace of an object as it is written. */
export function namespaceOf(text: string): string {
  const object = readObject(text);
  return object.metadata?.namespace ?? 'default';
}

function readObject(text: string): { metadata?: { name?: string; namespace?: string } } {
  try {
    const object: unknown = parse(text);
    if (object && typeof object === 'object') return object;
  } catch {
    // Told below.
  }
  const message = 'the text is not a YAML object; the editor marks where it is wrong';
  throw new RequestFailed(problemOf(422, JSON.stringify({ message })));
}

export interface Made {
  environment: Environment;
  /** The Secret that was made with it; nothing where one of that name was there before. */
  secret: string | undefined;
}

/** Makes the Secret, if there is one, and then the environment that refers to it. */
export async function createAll(text: string, secret: SecretDraft | undefined): Promise<Made> {
  const object = readObject(text);
  const namespace = object.metadata?.namespace ?? 'default';
  // What would be refused is refused before a Secret is left behind for it.
  await create(environments, namespace, object, true);
  const isNew = secret !== undefined && (await putSecret(namespace, secret));
  const { object: environment } = await create(environments as Resource<Environment & KubernetesObject>, namespace, object);
  return { environment, secret: isNew ? secret.name : undefined };
}

function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
}

/** Takes back a Secret that was made with an environment. One that is gone already is no fault. */
export async function removeSecret(namespace: string, name: string): Promise<void> {
  try {
    await request(`${secretsPath(namespace)}/${encodeURIComponent(name)}`, { method: 'DELETE' });
  } catch (error) {
    if (shown(error).kind !== 'missing') throw error;
  }
}

/** Made (true), or given these values where it is there already, for instance after a first attempt (false). */
async function putSecret(namespace: string, { name, values }: SecretDraft): Promise<boolean> {
  const path = secretsPath(namespace);
  try {
    await request(path, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', stringData: values },
    });
    return true;
  } catch (error) {
    if (shown(error).kind !== 'conflict') throw error;
    await request(`${path}/${encodeURIComponent(name)}`, {
      method: 'PATCH',
      body: { stringData: values },
      contentType: 'application/merge-patch+json',
    });
    return false;
  }
}
