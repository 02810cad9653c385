import { useQuery } from '@tanstack/react-query';
import { request } from './request';
import type { Resource } from './resource';
import type { KubernetesObject } from './kinds';

/** Who we are to the server. */
export interface Person {
  username: string;
  groups: string[];
  /** Name of the token by which they came in. */
  token?: string | undefined;
}

interface Review {
  status: { userInfo: { username: string; groups?: string[]; extra?: Record<string, string[]> } };
}

/** Asks the server who we are; fails with `signed-out` when it does not know. */
export async function whoAmI(): Promise<Person> {
  const review = await request<Review>('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    method: 'POST',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  const { username, groups = [], extra } = review.status.userInfo;
  return { username, groups, token: extra?.['auth.mirage.dev/token']?.[0] };
}

async function may(verb: string, of: Resource<KubernetesObject>, namespace?: string): Promise<boolean> {
  const review = await request<{ status: { allowed: boolean } }>(
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      method: 'POST',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: {
          resourceAttributes: { verb, group: of.group, resource: of.plural, ...(namespace ? { namespace } : {}) },
        },
      },
    },
  );
  return review.status.allowed;
}

/**
 * Whether we may do this. `undefined` while it is not known: then an action is offered, and the server has the last
 * word anyway.
 */
export function useMay(verb: string, of: Resource<KubernetesObject>, namespace?: string): boolean | undefined {
  const answer = useQuery({
    queryKey: ['may', verb, of.group, of.plural, namespace ?? ''],
    queryFn: () => may(verb, of, namespace),
    staleTime: 60_000,
    retry: false,
  });
  return answer.data;
}
