import type { components } from './generated/product';
import { request } from './request';

type Schemas = components['schemas'];

export type EffectiveView = Schemas['EffectiveView'];
export type EffectiveField = Schemas['FieldView'];
export type Origin = Schemas['Origin'];

/** What an environment as it is written would come to, and where each value is from. Nothing is stored. */
export function effectiveOf(
  { namespace, name }: { namespace: string; name: string },
  object: unknown,
  signal: AbortSignal,
): Promise<EffectiveView> {
  const path = `/api/v1/environments/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/effective`;
  return request<EffectiveView>(path, { method: 'POST', body: object, signal });
}
