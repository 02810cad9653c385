import { useQuery } from '@tanstack/react-query';
import { request } from '~/api/request';
import { resolved, type Document, type Schema } from './schema';

/** The schema of a kind of Mirage's, from the server that will judge by it. */
export function useSchema(kind: 'Environment' | 'EnvironmentTemplate'): Schema | undefined {
  const answer = useQuery({
    queryKey: ['openapi', 'mirage.dev/v1alpha1'],
    queryFn: () => request<Document>('/openapi/v3/apis/mirage.dev/v1alpha1'),
    staleTime: Infinity,
    select: (document) => resolved(document, `dev.mirage.v1alpha1.${kind}`),
    structuralSharing: false,
  });
  return answer.data;
}
