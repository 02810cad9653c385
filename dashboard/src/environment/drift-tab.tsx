import { CheckCheck, Wrench } from 'lucide-react';
import { useState } from 'react';
import type { Environment } from '~/api/kinds';
import { changeSpec } from '~/environments/actions';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { Nothing, Panel } from '~/ui/panel';
import { ProblemNotice } from '~/ui/problem';
import { toast } from '~/ui/toast';
import { differencesOf, type Difference } from './drift';

/** What differs from the spec and nobody asked for, and the two ways out of it. */
export function DriftTab({ environment }: { environment: Environment }) {
  const differences = differencesOf(environment);
  const mode = environment.spec.drift?.mode ?? 'repair';
  const [busy, setBusy] = useState<string>();
  const [error, setError] = useState<unknown>();

  const change = async (what: string, spec: unknown, says: string) => {
    setBusy(what);
    setError(undefined);
    try {
      await changeSpec(environment, spec);
      toast('healthy', says);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(undefined);
    }
  };

  return (
    <Panel
      title="Declared against actual"
      note={modeWords[mode]}
      aside={
        differences.length > 0 &&
        mode !== 'repair' && (
          <Button
            look="primary"
            isBusy={busy === 'repair'}
            onClick={() =>
              void change('repair', { drift: { mode: 'repair' } }, `${environment.metadata.name}: drift is being repaired`)
            }
          >
            <Wrench className="size-4" aria-hidden /> Repair, and keep it repaired
          </Button>
        )
      }
    >
      {error !== undefined && (
        <div className="mb-4">
          <ProblemNotice error={error} />
        </div>
      )}
      {differences.length === 0 ? (
        <Nothing title="No drift">Railway is as declared, in everything that the spec says.</Nothing>
      ) : (
        // On a phone each difference is a block; roles are said because `display: block` takes them away.
        <table role="table" aria-label="Differences" className="w-full border-separate border-spacing-y-1.5 text-left max-md:block">
          <thead className="text-[13px] text-ink-soft max-md:hidden">
            <tr>
              <th className="px-3 font-medium">What</th>
              <th className="px-3 font-medium">Declared here</th>
              <th className="px-3 font-medium">On Railway</th>
              <th>
                <span className="sr-only">Accept</span>
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup" className="max-md:block max-md:space-y-2">
            {differences.map((difference) => (
              <DifferenceRow
                key={difference.target}
                difference={difference}
                isBusy={busy === difference.target}
                onAccept={(spec, says) => void change(difference.target, spec, `${difference.subject}: ${says}`)}
              />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

const modeWords = {
  repair: 'Drift is repaired as soon as it is seen (drift.mode: repair).',
  report: 'Drift is reported and left (drift.mode: report).',
  ignore: 'Mirage does not look for drift here (drift.mode: ignore).',
} as const;

function DifferenceRow({
  difference,
  isBusy,
  onAccept,
}: {
  difference: Difference;
  isBusy: boolean;
  onAccept: (spec: unknown, says: string) => void;
}) {
  const { service, subject, declared, actual, accept } = difference;
  return (
    <tr
      role="row"
      className={classes(
        'align-top max-md:block max-md:rounded-lg max-md:bg-inset max-md:py-1 [&>td]:px-3 [&>td]:py-2.5 max-md:[&>td]:block max-md:[&>td]:py-1.5',
        'md:[&>td]:bg-inset md:[&>td:first-child]:rounded-l-lg md:[&>td:last-child]:rounded-r-lg',
      )}
    >
      <td role="cell">
        <span className="font-medium">{service ?? 'environment'}</span>
        <br />
        <code className="font-mono text-[13px] text-ink-soft">{subject}</code>
      </td>
      <td role="cell">
        <OnPhone>Declared here</OnPhone>
        <code className="font-mono text-[13px] break-all text-healthy">{declared}</code>
      </td>
      <td role="cell">
        <OnPhone>On Railway</OnPhone>
        <code className="font-mono text-[13px] break-words text-warning">{actual}</code>
      </td>
      <td role="cell" className="md:text-right">
        {accept ? (
          <Button size="small" isBusy={isBusy} title={accept.says} onClick={() => onAccept(accept.spec, accept.says)}>
            <CheckCheck className="size-4" aria-hidden /> Accept into spec
          </Button>
        ) : (
          <span className="text-[13px] text-ink-soft">only repair</span>
        )}
      </td>
    </tr>
  );
}

/** The column's heading, where there are no columns. */
function OnPhone({ children }: { children: string }) {
  return <span className="block text-[13px] text-ink-soft md:hidden">{children}</span>;
}
