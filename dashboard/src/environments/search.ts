import type { EnvironmentType } from '~/api/kinds';
import { groups, type Group } from './health';

export type Sort = 'name' | 'newest' | 'status' | 'expiry';

/** What is looked for and how it is shown. It lives in the address, so that a view can be sent to someone. */
export interface Search {
  q?: string | undefined;
  type?: EnvironmentType | undefined;
  status?: Group | undefined;
  project?: string | undefined;
  owner?: string | undefined;
  label?: string | undefined;
  sort?: Sort | undefined;
  by?: 'project' | undefined;
  view?: 'table' | undefined;
}

export const types: readonly EnvironmentType[] = ['prod', 'staging', 'dev', 'ephemeral'];

const sorts: readonly Sort[] = ['name', 'newest', 'status', 'expiry'];

function one<Value extends string>(of: readonly Value[], value: unknown): Value | undefined {
  return of.find((known) => known === value);
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads an address that anybody may have typed: what is not understood is as if it were not there. */
export function searchOf(raw: Record<string, unknown>): Search {
  return {
    q: text(raw['q']),
    type: one(types, raw['type']),
    status: one(
      groups.map((group) => group.value),
      raw['status'],
    ),
    project: text(raw['project']),
    owner: text(raw['owner']),
    label: text(raw['label']),
    sort: one(sorts, raw['sort']),
    by: one(['project'] as const, raw['by']),
    view: one(['table'] as const, raw['view']),
  };
}

/** Whether anything is left out by it. */
export function isFiltered(search: Search): boolean {
  const { q, type, status, project, owner, label } = search;
  return Boolean(q ?? type ?? status ?? project ?? owner ?? label);
}
