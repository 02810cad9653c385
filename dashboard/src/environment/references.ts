import type { EnvironmentSpec, ServiceSpec } from '~/api/kinds';

/** Services that the variables of this one name, as in `${{postgres.DATABASE_URL}}`. */
export function referenced(service: ServiceSpec): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const value of Object.values(service.variables ?? {})) {
    if (typeof value !== 'string') continue;
    for (const [, name, variable] of value.matchAll(/\$\{\{\s*([\w.-]+?)\.([A-Za-z_]\w*)\s*\}\}/g)) {
      if (!name || !variable || name === 'shared' || name === 'params') continue;
      const variables = found.get(name) ?? [];
      if (!variables.includes(variable)) found.set(name, [...variables, variable]);
    }
  }
  return found;
}

export interface Edge {
  /** Who needs. */
  from: string;
  /** What is needed. */
  to: string;
  /** Variables by which it is needed. */
  variables: string[];
  /** Whether `dependsOn` says so: then a rollout waits for it. */
  isDeclared: boolean;
}

/** Who needs whom, by `dependsOn` and by references in variables. Names that are no service here are left out. Pure. */
export function edgesOf(spec: EnvironmentSpec): Edge[] {
  const services = Object.entries(spec.services ?? {}).filter((entry): entry is [string, ServiceSpec] => !!entry[1]);
  const names = new Set(services.map(([name]) => name));
  const edges: Edge[] = [];
  for (const [from, service] of services) {
    const variables = referenced(service);
    const declared = new Set(service.dependsOn ?? []);
    for (const to of new Set([...declared, ...variables.keys()])) {
      if (to === from || !names.has(to)) continue;
      edges.push({ from, to, variables: variables.get(to) ?? [], isDeclared: declared.has(to) });
    }
  }
  return edges;
}
