import type { components } from './generated/product';
import type { Environment, Plan } from './kinds';
import { request } from './request';

type Schemas = components['schemas'];

/** How a copy is to differ; what is left out is as in the source. */
export type CopyOptions = Partial<Schemas['CopyOptions']> & { name: string };
export type Difference = Schemas['Difference'];
export type Obstacle = Schemas['Obstacle'];
export type ClonePreview = Omit<Schemas['ClonePreview'], 'object' | 'plan'> & { object: Environment; plan?: Plan | null };
export type Cloned = Schemas['Cloned'];

/** The copy as it would be made, with its plan. Nothing is made. */
export function previewClone(id: string, options: CopyOptions, signal: AbortSignal): Promise<ClonePreview> {
  const path = `/api/v1/environments/${encodeURIComponent(id)}/clone-preview`;
  return request<ClonePreview>(path, { method: 'POST', body: options, signal });
}

/** Makes the copy. */
export function clone(id: string, options: CopyOptions): Promise<Cloned> {
  return request<Cloned>(`/api/v1/environments/${encodeURIComponent(id)}/clone`, { method: 'POST', body: options });
}
