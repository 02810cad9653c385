import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { valueText } from '~/activity/record';
import { effectiveOf, type EffectiveField } from '~/api/effective';
import { Button } from '~/ui/button';
import { Panel, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Mark } from '~/ui/status';
import { objectOf, type Draft } from './draft';
import { originWords } from './origin';
import { useSettled } from './useSettled';

/** What the draft comes to with its template, and where each value comes from: worked out by the server, as it will be. */
export function Inheritance({ draft }: { draft: Draft }) {
  const object = useMemo(() => objectOf(draft), [draft]);
  const settled = useSettled(object, 400);
  const name = draft.name.trim() || 'new';
  const found = useQuery({
    queryKey: ['effective', draft.namespace, name, settled],
    queryFn: ({ signal }) =>
      effectiveOf(
        { namespace: draft.namespace, name },
        { ...settled, metadata: { ...settled.metadata, name } },
        signal,
      ),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 10_000,
    gcTime: 0,
  });
  return (
    <Panel title="What it comes to" note={`Template ${draft.template}, type ${draft.type}, and what is said here.`}>
      {found.error ? (
        <ProblemNotice error={found.error} action={<Button size="small" onClick={() => void found.refetch()}>Try again</Button>} />
      ) : !found.data ? (
        <Skeleton className="h-40" />
      ) : (
        <div className="relative max-h-[28rem] overflow-y-auto" tabIndex={0} role="region" aria-label="Values and where they come from">
          <dl className="grid gap-1">
            {found.data.fields.map((field) => (
              <Value key={field.path} field={field} />
            ))}
          </dl>
        </div>
      )}
    </Panel>
  );
}

function Value({ field: { path, value, origin, overridden = [] } }: { field: EffectiveField }) {
  const { tone, word } = originWords(origin);
  const below = overridden.find((other) => JSON.stringify(other.value) !== JSON.stringify(value));
  return (
    <div className="flex flex-wrap items-center gap-x-3 rounded-lg bg-inset px-2.5 py-1">
      <dt className="font-mono text-[12.5px] break-all">{path.replace(/^spec\./, '')}</dt>
      <dd className="ml-auto flex min-w-0 flex-wrap items-center justify-end gap-2">
        {below && (
          <span className="max-w-48 truncate text-[12.5px] text-ink-soft">
            instead of <span className="font-mono">{valueText(below.value)}</span>
          </span>
        )}
        <span className="max-w-64 truncate font-mono text-[12.5px] text-ink-soft">
          {value === undefined ? 'removed' : valueText(value)}
        </span>
        <Mark tone={tone}>{word}</Mark>
      </dd>
    </div>
  );
}
