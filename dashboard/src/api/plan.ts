import type { Plan } from './kinds';
import { request } from './request';

/** What applying an environment would do on Railway. */
export interface PlannedChange {
  plan: Plan;
  requests: number;
  changes: boolean;
}

/** Asks for the plan of an environment as it is written, YAML or JSON, without doing anything. */
export function planOf(text: string, namespace: string): Promise<PlannedChange> {
  const path = `/api/v1/plan?${new URLSearchParams({ namespace }).toString()}`;
  return request<PlannedChange>(path, { method: 'POST', body: text, contentType: 'application/yaml' });
}
