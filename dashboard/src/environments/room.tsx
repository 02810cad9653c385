import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useMemo } from 'react';
import { Button, buttonClass } from '~/ui/button';
import { lookAt, useScope } from '~/session/scope';
import { Nothing, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemCard } from '~/ui/problem';
import { restartFeeds } from '~/live/useLive';
import { Filters } from './filters';
import { Grid } from './grid';
import { OneNamespace } from './one-namespace';
import { isFiltered, type Search } from './search';
import { choices, count, select } from './selection';
import { Strip } from './strip';
import { Table } from './table';
import { useEnvironments } from './useEnvironments';

/** Home: every environment that we may see. */
export function EnvironmentsRoom({ search }: { search: Search }) {
  const scope = useScope();
  const { objects, phase, isWhole, problem } = useEnvironments();
  const found = useMemo(() => select(objects.values(), search), [objects, search]);
  const counts = useMemo(() => count(objects.values()), [objects]);
  const offered = useMemo(() => choices(objects.values()), [objects]);
  const isEmpty = objects.size === 0;

  return (
    <>
      <RoomHead
        title="Environments"
        note={
          <>
            {isEmpty ? 'What you declare, and what Railway makes of it.' : summary(found.length, objects.size)}
            {scope && (
              <>
                {' '}
                In the namespace {scope} only.{' '}
                <button type="button" className="text-accent underline" onClick={() => lookAt(undefined)}>
                  Look at all
                </button>
              </>
            )}
          </>
        }
      >
        <Link to="/new" className={buttonClass('primary')}>
          <Plus className="size-4" aria-hidden /> New environment
        </Link>
      </RoomHead>
      <Strip counts={isEmpty && !isWhole ? undefined : counts} search={search} />
      {(!isEmpty || isWhole) && objects.size > 0 && <Filters search={search} choices={offered} />}
      {problem && isEmpty && !isWhole && phase !== 'loading' ? (
        <ProblemCard
          problem={problem}
          action={problem.kind === 'forbidden' ? <OneNamespace /> : <Button onClick={restartFeeds}>Try again</Button>}
        />
      ) : isEmpty && !isWhole ? (
        <Loading />
      ) : isEmpty ? (
        <First />
      ) : found.length === 0 ? (
        <Nothing
          title="Nothing matches"
          action={
            <Link to="/" search={{ view: search.view }} className={buttonClass()}>
              Show all {objects.size}
            </Link>
          }
        >
          {isFiltered(search) && 'No environment is like that. Take a filter away.'}
        </Nothing>
      ) : search.view === 'table' ? (
        <Table environments={found} />
      ) : (
        <Grid environments={found} isGrouped={search.by === 'project'} />
      )}
    </>
  );
}

function summary(found: number, all: number): string {
  return found === all ? `${all.toLocaleString()} in all` : `${found.toLocaleString()} of ${all.toLocaleString()}`;
}

function Loading() {
  return (
    <div role="status" aria-label="Loading environments" className="grid gap-3.5 sm:grid-cols-2 lg:grid-cols-3 2xl:grid-cols-4">
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} className="panel flex h-[186px] flex-col gap-3 p-4">
          <Skeleton className="h-5 w-2/5" />
          <Skeleton className="h-4 w-3/5" />
          <Skeleton className="mt-2 h-3 w-full" />
          <Skeleton className="mt-auto h-4 w-1/3" />
        </div>
      ))}
    </div>
  );
}

function First() {
  return (
    <div className="panel">
      <Nothing
        title="No environment yet"
        action={
          <>
            <Link to="/new" className={buttonClass('primary')}>
              <Plus className="size-4" aria-hidden /> Make the first one
            </Link>
            <Link to="/templates" className={buttonClass()}>
              See the templates
            </Link>
          </>
        }
      >
        Declare one here, or with <code className="font-mono text-[13px]">mirage apply -f shop.yaml</code>. It appears on
        this page as it is made.
      </Nothing>
    </div>
  );
}
