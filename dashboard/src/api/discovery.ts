import { useQuery } from '@tanstack/react-query';
import { request } from './request';

/**
 * The plurals that the server's group `mirage.dev` has: a room whose kind is not served is left out. `undefined` while
 * it is not known.
 */
export function useKinds(): ReadonlySet<string> | undefined {
  const answer = useQuery({
    queryKey: ['kinds'],
    queryFn: () => request<{ resources: { name: string }[] }>('/apis/mirage.dev/v1alpha1'),
    staleTime: Infinity,
    select: (list) => new Set(list.resources.map((resource) => resource.name)),
  });
  return answer.data;
}
