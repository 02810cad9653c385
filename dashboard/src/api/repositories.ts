import type { components } from './generated/product';
import { request } from './request';

type Schemas = components['schemas'];

export type FoundServices = Schemas['FoundServices'];
export type FoundService = Schemas['FoundService'];

/** A repository, and how it is seen. */
export interface Repository {
  /** `owner/name` */
  name: string;
  /** Nothing: the default branch. */
  branch: string;
  namespace: string;
  /** A Secret of the namespace with a credential for GitHub; nothing: what everybody sees. */
  secret: string;
}

/** What a repository holds that could run. */
export function findServices({ name, branch, namespace, secret }: Repository, signal: AbortSignal): Promise<FoundServices> {
  const query = new URLSearchParams({ namespace });
  if (branch) query.set('ref', branch);
  if (secret) query.set('secret', secret);
  const path = name.split('/').map(encodeURIComponent).join('/');
  return request<FoundServices>(`/api/v1/repositories/${path}/services?${query.toString()}`, { signal });
}
