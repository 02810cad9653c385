import type { Environment } from '~/api/kinds';
import { ownerOf, projectOf, typeOf } from './facts';
import { groups, healthOf, type Group } from './health';
import type { Search } from './search';

/** Those that are looked for, in order. Pure. */
export function select(environments: Iterable<Environment>, search: Search): Environment[] {
  const words = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const found: Environment[] = [];
  for (const environment of environments) {
    if (search.type && typeOf(environment) !== search.type) continue;
    if (search.status && healthOf(environment).group !== search.status) continue;
    if (search.project && projectOf(environment) !== search.project) continue;
    if (search.owner && ownerOf(environment) !== search.owner) continue;
    if (search.label && !hasLabel(environment, search.label)) continue;
    if (words.length > 0 && !hasWords(environment, words)) continue;
    found.push(environment);
  }
  return found.sort(order(search.sort ?? 'name'));
}

/** `key`, or `key=value`. */
function hasLabel(environment: Environment, label: string): boolean {
  const [key = '', value] = label.split('=', 2);
  const found = environment.metadata.labels?.[key.trim()];
  return found !== undefined && (value === undefined || found === value.trim());
}

function hasWords(environment: Environment, words: string[]): boolean {
  const { name, namespace = '' } = environment.metadata;
  const text = [
    name,
    namespace,
    projectOf(environment),
    ownerOf(environment),
    environment.spec.source?.repo ?? '',
    environment.spec.source?.branch ?? '',
    ...Object.keys(environment.spec.services ?? {}),
    environment.status?.url ?? '',
  ]
    .join(' ')
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

const urgency: Record<Group, number> = {
  failing: 0,
  waiting: 1,
  drifted: 2,
  progressing: 3,
  unknown: 4,
  ready: 5,
  suspended: 6,
};

type Order = (one: Environment, other: Environment) => number;

function order(sort: NonNullable<Search['sort']>): Order {
  const byName: Order = (one, other) =>
    one.metadata.name.localeCompare(other.metadata.name, undefined, { numeric: true }) ||
    (one.metadata.namespace ?? '').localeCompare(other.metadata.namespace ?? '');
  switch (sort) {
    case 'name':
      return byName;
    case 'newest':
      return (one, other) =>
        other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp) || byName(one, other);
    case 'status':
      return (one, other) => urgency[healthOf(one).group] - urgency[healthOf(other).group] || byName(one, other);
    case 'expiry': {
      // What never ends comes last.
      const end = (environment: Environment) => environment.status?.expiresAt ?? '9999';
      return (one, other) => end(one).localeCompare(end(other)) || byName(one, other);
    }
  }
}

/** Under the name of each project, in the order of the names; those without one come last. */
export function byProject(environments: Environment[]): [string, Environment[]][] {
  const found = new Map<string, Environment[]>();
  for (const environment of environments) {
    const project = projectOf(environment);
    const there = found.get(project);
    if (there) there.push(environment);
    else found.set(project, [environment]);
  }
  return [...found].sort(([one], [other]) => (one === '' ? 1 : other === '' ? -1 : one.localeCompare(other)));
}

/** How many there are in each group. */
export function count(environments: Iterable<Environment>): Record<Group, number> {
  const counts = Object.fromEntries(groups.map(({ value }) => [value, 0])) as Record<Group, number>;
  for (const environment of environments) counts[healthOf(environment).group] += 1;
  return counts;
}

/** What there is to choose from in the filters. */
export function choices(environments: Iterable<Environment>): { projects: string[]; owners: string[] } {
  const projects = new Set<string>();
  const owners = new Set<string>();
  for (const environment of environments) {
    projects.add(projectOf(environment));
    owners.add(ownerOf(environment));
  }
  const sorted = (names: Set<string>) => [...names].filter(Boolean).sort((one, other) => one.localeCompare(other));
  return { projects: sorted(projects), owners: sorted(owners) };
}
