import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { EnvironmentType } from '~/api/kinds';
import { startImport, validateImport, type ImportItem, type ImportOperation } from '~/api/railway';
import { types } from '~/environments/search';
import { useSettled } from '~/new/useSettled';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import { Choice, TextField } from '~/ui/field';
import { Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { Status } from '~/ui/status';
import { yaml } from '~/yaml/text';
import { wishesOf, type Chosen, type Wish } from './choice';
import { Findings } from './findings';
import { importWords } from './state';

interface Props {
  namespace: string;
  chosen: Chosen;
  onClose: () => void;
  onStarted: (operation: ImportOperation) => void;
}

const kinds: readonly { value: EnvironmentType | ''; label: string }[] = [
  { value: '', label: 'as found' },
  ...types.map((type) => ({ value: type, label: type })),
];

/** What an import would come to, before it is one. */
export function ImportDialog({ namespace, chosen, onClose, onStarted }: Props) {
  const [wishes, setWishes] = useState<Readonly<Record<string, Wish>>>({});
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const asked = useMemo(() => wishesOf(chosen, wishes), [chosen, wishes]);
  const settled = useSettled(asked, 400);
  const found = useQuery({
    queryKey: ['import', namespace, settled],
    queryFn: ({ signal }) => validateImport(namespace, settled, signal),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 0,
    gcTime: 0,
  });
  const items = found.data?.items ?? [];
  const ready = items.filter((item) => item.state === 'importable').length;
  const isCurrent = settled === asked && !found.isFetching;

  const change = (id: string, wish: Wish) => setWishes((before) => ({ ...before, [id]: { ...before[id], ...wish } }));
  const start = async () => {
    setBusy(true);
    setError(undefined);
    try {
      onStarted(await startImport(namespace, asked));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title="Import from Railway"
      note="Mirage writes down what is there and keeps it from then on. Nothing is deployed, and deleting the Environment leaves it on Railway."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" isBusy={isBusy} disabled={!isCurrent || ready === 0} onClick={() => void start()}>
            Import {ready === items.length || ready === 0 ? '' : `${ready} of ${items.length}`}
          </Button>
        </>
      }
    >
      {found.error ? (
        <ProblemNotice error={found.error} action={<Button onClick={() => void found.refetch()}>Try again</Button>} />
      ) : !found.data ? (
        <Skeleton className="h-48" />
      ) : (
        <ul className="space-y-3">
          {items.map((item, index) => (
            <Item
              key={item.railwayEnvironmentId ?? index}
              item={item}
              wish={wishes[item.railwayEnvironmentId ?? ''] ?? {}}
              isFirst={items.length === 1}
              onChange={(wish) => item.railwayEnvironmentId && change(item.railwayEnvironmentId, wish)}
            />
          ))}
        </ul>
      )}
      {error !== undefined && (
        <div className="mt-3">
          <ProblemNotice error={error} />
        </div>
      )}
    </Dialog>
  );
}

function Item({
  item,
  wish,
  isFirst,
  onChange,
}: {
  item: ImportItem;
  wish: Wish;
  isFirst: boolean;
  onChange: (wish: Wish) => void;
}) {
  const state = importWords(item.state);
  const isManaged = item.state === 'managed';
  return (
    <li className="rounded-xl border border-line p-3.5" aria-label={`${item.project}/${item.environment}`}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-semibold break-all">
          {item.project}/{item.environment}
        </h3>
        <Status {...state} />
      </div>
      {!isManaged && (
        <div className="mt-2 grid gap-3 sm:grid-cols-[minmax(0,1fr)_10rem]">
          <TextField
            label="Name of the Environment"
            value={wish.name ?? item.name}
            onChange={(event) => onChange({ name: event.target.value })}
            fault={item.problems?.find(({ reason }) => reason === 'NameTaken' || reason === 'InvalidName')?.message}
          />
          <Choice
            label="Type"
            value={wish.type ?? ''}
            options={kinds}
            onChange={(type) => onChange({ type: type || undefined })}
          />
        </div>
      )}
      <Findings item={item} />
      {item.manifest !== undefined && (
        <details className="mt-2" open={isFirst}>
          <summary className="cursor-pointer text-[13px] text-primary">What will be declared</summary>
          <pre
            tabIndex={0}
            role="region"
            aria-label={`YAML of ${item.name}`}
            className="mt-2 max-h-72 overflow-auto rounded-xl bg-inset p-3 font-mono text-[13px]"
          >
            {yaml(item.manifest)}
          </pre>
        </details>
      )}
    </li>
  );
}
