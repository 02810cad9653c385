import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Copy } from 'lucide-react';
import { useMemo, useState } from 'react';
import { clone, previewClone, type Cloned } from '~/api/clone';
import type { Environment, EnvironmentType } from '~/api/kinds';
import { PlanSteps } from '~/environment/plan-steps';
import { types } from '~/environments/search';
import { typeOf } from '~/environments/facts';
import { MadeProgress } from '~/new/made-progress';
import { useSettled } from '~/new/useSettled';
import { Button, buttonClass } from '~/ui/button';
import { Choice, TextField } from '~/ui/field';
import { Panel, RoomHead, Skeleton } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { textOf } from '~/yaml/text';
import { Differences } from './differences';
import { optionsOf, others, proposed, servicesOf, type Wish } from './options';

/** Fields of the options beside which their refusals stand. */
const beside = ['name', 'metadata.name', 'ttl', 'spec.ttl'];

/** Another environment like this one: the server works it out, and shows it before it is made. */
export function CloneRoom({ environment }: { environment: Environment }) {
  const { uid, name } = environment.metadata;
  const [wish, setWish] = useState(() => proposed(environment));
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<Cloned>();
  const options = useMemo(() => optionsOf(wish), [wish]);
  const settled = useSettled(options, 400);
  const preview = useQuery({
    queryKey: ['clone-preview', uid, settled],
    queryFn: ({ signal }) => previewClone(uid, settled, signal),
    enabled: settled.name !== '',
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 10_000,
    gcTime: 0,
  });
  const place = useMemo(() => made && { namespace: made.namespace, name: made.name }, [made]);
  if (place) {
    return (
      <div className="mx-auto max-w-5xl">
        <RoomHead title={`Another one like ${name}`} />
        <MadeProgress place={place} onBack={() => setMade(undefined)} />
      </div>
    );
  }

  const change = (some: Partial<Wish>) => {
    setWish((before) => ({ ...before, ...some }));
    setError(undefined);
  };
  const refusals = preview.data?.refusals ?? [];
  const faultOf = (...fields: string[]) => refusals.find((one) => fields.includes(one.field))?.message;
  const isCurrent = settled === options && !preview.isFetching;
  const { requests } = preview.data ?? {};
  const make = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setMade(await clone(uid, options));
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="mx-auto max-w-5xl">
      <RoomHead
        title={`Another one like ${name}`}
        note="Volumes begin empty, generated passwords are made anew, and domains of your own stay with the source."
      />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <Options environment={environment} wish={wish} change={change} faultOf={faultOf} />
          <Panel title="Beside its source" note={`What differs from ${name}.`}>
            {preview.data ? <Differences difference={preview.data.difference} notes={preview.data.notes} /> : !preview.error && <Skeleton className="h-24" />}
          </Panel>
          {preview.data && (
            <details className="panel p-4 sm:p-5">
              <summary className="cursor-pointer font-semibold">What will be declared</summary>
              <pre
                tabIndex={0}
                role="region"
                aria-label="YAML of the copy"
                className="mt-3 max-h-96 overflow-auto rounded-xl bg-inset p-3 font-mono text-[13px]"
              >
                {textOf(preview.data.object)}
              </pre>
            </details>
          )}
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <Panel title="Plan" note="What Mirage would do on Railway.">
            {preview.error ? (
              <ProblemNotice error={preview.error} action={<Button size="small" onClick={() => void preview.refetch()}>Try again</Button>} />
            ) : !preview.data ? (
              <Skeleton className="h-40" />
            ) : preview.data.plan ? (
              <div className="relative max-h-[22rem] overflow-y-auto" tabIndex={0} role="region" aria-label="Plan">
                <PlanSteps plan={preview.data.plan} />
              </div>
            ) : (
              <p className="text-ink-soft">{preview.data.lines?.join(' ') ?? 'None while something is in the way.'}</p>
            )}
          </Panel>
          {others(refusals, beside).length > 0 && (
            <ul role="alert" className="space-y-1 rounded-xl border border-danger-dot/40 bg-danger-tint p-4">
              {others(refusals, beside).map(({ field, message }) => (
                <li key={`${field} ${message}`} className="break-words">
                  <code className="mr-1.5 font-mono text-[13px] font-medium">{field}</code>
                  {message}
                </li>
              ))}
            </ul>
          )}
          {error !== undefined && <ProblemNotice error={error} />}
          <div className="flex flex-wrap items-center justify-between gap-2">
            <Link to="/" className={buttonClass('quiet')}>
              Cancel
            </Link>
            <Button
              look="primary"
              isBusy={isBusy}
              disabled={!isCurrent || !preview.data || refusals.length > 0}
              onClick={() => void make()}
            >
              {!isBusy && <Copy className="size-4" aria-hidden />} Clone
              {requests != null && ` · ${requests} ${requests === 1 ? 'request' : 'requests'}`}
            </Button>
          </div>
        </div>
      </div>
    </div>
  );
}

function Options({
  environment,
  wish,
  change,
  faultOf,
}: {
  environment: Environment;
  wish: Wish;
  change: (some: Partial<Wish>) => void;
  faultOf: (...fields: string[]) => string | undefined;
}) {
  const services = servicesOf(environment);
  const kinds: readonly { value: EnvironmentType | ''; label: string }[] = [
    { value: '', label: `as the source (${typeOf(environment)})` },
    ...types.map((type) => ({ value: type, label: type })),
  ];
  return (
    <Panel title="The copy">
      <div className="grid gap-4 sm:grid-cols-3">
        <TextField
          label="Name"
          value={wish.name}
          onChange={(event) => change({ name: event.target.value })}
          fault={wish.name.trim() === '' ? 'It needs one.' : faultOf('name', 'metadata.name')}
        />
        <Choice label="Type" value={wish.type} options={kinds} onChange={(type) => change({ type })} />
        <TextField
          label="Lives for"
          value={wish.ttl}
          placeholder="as the source"
          note="8h, 3d, 1w"
          onChange={(event) => change({ ttl: event.target.value })}
          fault={faultOf('ttl', 'spec.ttl')}
        />
      </div>
      {services.length > 1 && (
        <fieldset className="mt-4">
          <legend className="mb-1 text-[13px] font-medium">Services</legend>
          <div className="flex flex-wrap gap-x-5 gap-y-1.5">
            {services.map((service) => (
              <Check
                key={service}
                label={service}
                isChecked={!wish.without.includes(service)}
                onChange={(isIn) =>
                  change({ without: isIn ? wish.without.filter((one) => one !== service) : [...wish.without, service] })
                }
              />
            ))}
          </div>
        </fieldset>
      )}
      <div className="mt-4 flex flex-wrap gap-x-5 gap-y-1.5 border-t border-line pt-3">
        <Check label="Keep it when it does not come up" isChecked={wish.isKept} onChange={(isKept) => change({ isKept })} />
        {(wish.isForced || faultOf('source') !== undefined) && (
          <Check
            label="Clone it although it is not healthy"
            isChecked={wish.isForced}
            onChange={(isForced) => change({ isForced })}
          />
        )}
      </div>
    </Panel>
  );
}

function Check({ label, isChecked, onChange }: { label: string; isChecked: boolean; onChange: (isChecked: boolean) => void }) {
  return (
    <label className="inline-flex items-center gap-2">
      <input
        type="checkbox"
        className="size-4 accent-(--primary)"
        checked={isChecked}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
