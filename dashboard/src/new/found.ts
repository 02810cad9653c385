import type { FoundService } from '~/api/repositories';
import { service, type DraftService, type ServiceKind } from './draft';

/** What a found service is built from. Pure. */
function kindOf(found: FoundService): ServiceKind {
  if (found.engine) return found.engine;
  return found.image ? 'image' : 'repo';
}

/** Where a found service is, in words. Pure. */
export function whatWasFound(found: FoundService): string {
  if (found.engine) return `a database (${found.engine}), in ${found.foundIn}`;
  if (found.image) return `${found.image}, in ${found.foundIn}`;
  const folder = found.rootDirectory;
  return folder && !found.foundIn.startsWith(folder) ? `${folder}, in ${found.foundIn}` : found.foundIn;
}

/** Found services as those of a draft that has some already: under free names, needing only what will be there. Pure. */
export function drafted(chosen: readonly FoundService[], has: readonly DraftService[]): DraftService[] {
  const taken = new Set(has.map(({ name }) => name));
  const names = new Map<string, string>(has.map(({ name }) => [name, name]));
  for (const { name } of chosen) {
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name}-${number}`;
    taken.add(free);
    names.set(name, free);
  }
  return chosen.map((found) => ({
    ...service(names.get(found.name) ?? found.name, kindOf(found)),
    folder: found.rootDirectory ?? '',
    image: found.image ?? '',
    isPublic: found.port != null,
    port: found.port == null ? '' : String(found.port),
    healthPath: found.healthcheckPath ?? '',
    dependsOn: (found.dependsOn ?? []).flatMap((name) => names.get(name) ?? []),
  }));
}
