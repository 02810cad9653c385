import { useInfiniteQuery } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { request } from '~/api/request';
import { Button, IconButton } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Choice } from '~/ui/field';
import { Nothing, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Mark } from '~/ui/status';
import { Age } from '~/ui/time';
import { Changes } from './changes';
import { sentenceOf, type Page, type Record } from './record';

const outcomes = [
  { value: '', label: 'Any outcome' },
  { value: 'done', label: 'Done' },
  { value: 'refused', label: 'Refused' },
] as const;

const resources = [
  { value: '', label: 'Anything' },
  { value: 'environments', label: 'Environments' },
  { value: 'environmenttemplates', label: 'Templates' },
  { value: 'secrets', label: 'Secrets' },
  { value: 'tokens', label: 'Tokens' },
  { value: 'railwayaccounts', label: 'Credentials' },
  { value: 'secretstores', label: 'Secret stores' },
] as const;

/** Who did what. The page looks again every few seconds while it is open at its newest end. */
const LOOK_MS = 5_000;

export function ActivityRoom() {
  const [user, setUser] = useState('');
  const [outcome, setOutcome] = useState<(typeof outcomes)[number]['value']>('');
  const [resource, setResource] = useState<(typeof resources)[number]['value']>('');
  const [isRoutine, setRoutine] = useState(false);
  const log = useInfiniteQuery({
    queryKey: ['audit', user, outcome, resource, isRoutine],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ limit: '50' });
      if (user.trim()) query.set('user', user.trim());
      if (outcome) query.set('outcome', outcome);
      if (resource) query.set('resource', resource);
      if (!isRoutine) query.set('routine', 'false');
      if (pageParam) query.set('continue', pageParam);
      return request<Page>(`/api/v1/audit?${query.toString()}`);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.continue,
    refetchInterval: (query) => (query.state.data?.pages.length === 1 ? LOOK_MS : false),
    placeholderData: (before) => before,
  });
  const records = log.data?.pages.flatMap((page) => page.items) ?? [];

  return (
    <>
      <RoomHead title="Activity" note="Every write, every refusal, and who was shown secrets.">
        <IconButton label="Look again" onClick={() => void log.refetch()}>
          <RefreshCw className={classes('size-4', log.isFetching && 'animate-spin')} aria-hidden />
        </IconButton>
      </RoomHead>
      <div className="mb-4 flex flex-wrap items-center gap-2" role="search" aria-label="Activity">
        <input
          type="search"
          aria-label="User"
          placeholder="User"
          className="field w-40"
          value={user}
          onChange={(event) => setUser(event.target.value)}
        />
        <Choice isLabelHidden label="Resource" value={resource} options={resources} onChange={setResource} />
        <Choice isLabelHidden label="Outcome" value={outcome} options={outcomes} onChange={setOutcome} />
        <label className="inline-flex h-9 items-center gap-2 text-[13px] text-ink-soft">
          <input
            type="checkbox"
            className="size-4 accent-(--primary)"
            checked={isRoutine}
            onChange={(event) => setRoutine(event.target.checked)}
          />
          with the routine of Mirage's controllers
        </label>
      </div>
      {log.error ? (
        <ProblemNotice error={log.error} action={<Button onClick={() => void log.refetch()}>Try again</Button>} />
      ) : !log.data ? (
        <Skeleton className="h-96" />
      ) : (
        <div className="panel px-4 sm:px-5">
          {records.length === 0 && <Nothing title="Nothing on record">Nothing like that has happened.</Nothing>}
          <ol className="divide-y divide-line">
            {records.map((record) => (
              <Line key={record.sequence} record={record} />
            ))}
          </ol>
          {log.hasNextPage && (
            <div className="border-t border-line py-3 text-center">
              <Button isBusy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
                Older
              </Button>
            </div>
          )}
        </div>
      )}
    </>
  );
}

function Line({ record }: { record: Record }) {
  const changes = record.changes ?? [];
  const isRefused = record.outcome.code >= 400;
  const head = (
    <span className="flex min-w-0 grow flex-wrap items-baseline gap-x-2 gap-y-0.5">
      <strong className="font-medium break-all">{record.user.name || 'somebody unknown'}</strong>
      <span className="break-words">{sentenceOf(record)}</span>
      {record.namespace && <span className="text-[13px] text-ink-soft">in {record.namespace}</span>}
      {isRefused && <Mark tone="danger">{record.outcome.reason || record.outcome.code}</Mark>}
      {(record.count ?? 1) > 1 && <span className="text-[13px] text-ink-soft">× {record.count}</span>}
      <span className="ml-auto text-[13px] text-ink-soft">
        <Age since={record.time} suffix=" ago" />
      </span>
    </span>
  );
  if (changes.length === 0 && !record.outcome.message) return <li className="flex py-2.5">{head}</li>;
  return (
    <li className="py-2.5">
      <details>
        <summary className="flex list-none items-baseline gap-2 [&::-webkit-details-marker]:hidden">{head}</summary>
        {record.outcome.message && <p className="mt-1 text-ink-soft">{record.outcome.message}</p>}
        <Changes changes={changes} />
        <p className="mt-2 text-xs break-all text-ink-soft">
          {[record.from.address, record.from.agent, record.user.token && `token ${record.user.token}`, record.auditId]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </details>
    </li>
  );
}
