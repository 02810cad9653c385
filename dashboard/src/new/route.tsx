import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { CloneRoom } from '~/clone/room';
import { environments } from '~/api/resource';
import { read } from '~/api/write';
import { Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { NewRoom } from './room';

/** A new environment: from nothing, from a template, or like another one (`?from=namespace/name`). */
export function NewRoute() {
  const { from, template } = useSearch({ from: '/new' });
  const [namespace = '', name = ''] = (from ?? '').split('/');
  const original = useQuery({
    queryKey: ['clone', from],
    queryFn: () => read(environments, name, namespace),
    enabled: name !== '',
    staleTime: Infinity,
  });
  if (!from) return <NewRoom key={template ?? ''} template={template ?? ''} />;
  if (original.error) return <ProblemNotice error={original.error} />;
  if (!original.data) return <Skeleton className="h-96" />;
  return <CloneRoom key={from} environment={original.data} />;
}
