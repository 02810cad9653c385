import { environments } from '~/api/resource';
import type { Environment } from '~/api/kinds';
import type { Snapshot } from '~/live/snapshot';
import { useScope } from '~/session/scope';
import { useLive, whole } from '~/live/useLive';

/** Every environment that we may see, kept up to date. */
export function useEnvironments(): Snapshot<Environment> {
  return usePart(whole<Environment>);
}

/** A part of what is known of them; drawn anew when the part is another one. */
export function usePart<Picked>(pick: (snapshot: Snapshot<Environment>) => Picked): Picked {
  return useLive({ resource: environments, namespace: useScope() }, pick);
}
