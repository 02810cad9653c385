import { useInfiniteQuery } from '@tanstack/react-query';
import type { Environment } from '~/api/kinds';
import { request } from '~/api/request';
import { Changes } from '~/activity/changes';
import { isOfSpec, type Page } from '~/activity/record';
import { Button } from '~/ui/button';
import { Nothing, Panel, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Age } from '~/ui/time';

/** Every change of the spec, with who made it: the generations, from the audit log. */
export function HistoryTab({ environment }: { environment: Environment }) {
  const { name, namespace = '', generation, uid } = environment.metadata;
  const log = useInfiniteQuery({
    queryKey: ['audit', 'environment', uid, generation],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ resource: 'environments', namespace, name, routine: 'false', limit: '100' });
      if (pageParam) query.set('continue', pageParam);
      return request<Page>(`/api/v1/audit?${query.toString()}`);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.continue,
  });
  if (log.error) return <ProblemNotice error={log.error} />;
  if (!log.data) return <Skeleton className="h-64" />;
  const records = log.data.pages.flatMap((page) => page.items).filter(isOfSpec);
  return (
    <Panel title="Changes of the spec" note="From the audit log, newest first.">
      {records.length === 0 && <Nothing title="No change on record" />}
      <ol className="space-y-4">
        {records.map((record) => (
          <li key={record.sequence}>
            <p>
              <strong className="font-medium">{record.user.name}</strong>{' '}
              {record.effect === 'created' ? 'made it' : 'changed it'}
              <span className="ml-2 text-[13px] text-ink-soft">
                <Age since={record.time} suffix=" ago" />
              </span>
            </p>
            <Changes changes={(record.changes ?? []).filter((change) => change.path.startsWith('spec'))} />
          </li>
        ))}
      </ol>
      {log.hasNextPage && (
        <Button className="mt-4" isBusy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Older
        </Button>
      )}
    </Panel>
  );
}
