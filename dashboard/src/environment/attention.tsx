import { useState } from 'react';
import type { Environment } from '~/api/kinds';
import { approve, retry } from '~/environments/actions';
import { condition, healthOf, reasonOf } from '~/environments/health';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { ProblemNotice } from '~/ui/problem';
import { toast } from '~/ui/toast';
import { nextStep } from './next-step';

/** Reasons why Mirage has stopped, and goes on when it is asked to try again. */
const stopping = new Set(['Fighting', 'TemplateHalted', 'RolloutHalted', 'RolledBack']);

/** What a person can do about an environment that does not go on by itself; nothing where it does. */
type Ask = { says: string; does: string; act: () => Promise<unknown> };

function askOf(environment: Environment): Ask | undefined {
  const { name } = environment.metadata;
  const hash = environment.status?.plan?.hash;
  const reason = condition(environment, 'Synced')?.reason;
  if (reason === 'AwaitingApproval' && hash) {
    return { says: `${name}: plan ${hash} approved`, does: `Approve plan ${hash}`, act: () => approve(environment, hash) };
  }
  const stopped = environment.status?.conditions?.some((one) => stopping.has(one.reason));
  if (stopped || healthOf(environment).group === 'failing') {
    return { says: `${name} is tried again`, does: 'Try again', act: () => retry(environment) };
  }
  return undefined;
}

export function Attention({ environment }: { environment: Environment }) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const health = healthOf(environment);
  const reason = reasonOf(environment);
  const ask = askOf(environment);
  const step = nextStep(environment);
  if (!reason || health.group === 'progressing' || health.group === 'ready') return null;

  const act = async () => {
    if (!ask) return;
    setBusy(true);
    setError(undefined);
    try {
      await ask.act();
      toast('healthy', ask.says);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div
      role="status"
      className={classes(
        'mb-4 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl border px-4 py-3',
        health.tone === 'danger' ? 'border-danger-dot/40 bg-danger-tint' : 'border-warning-dot/40 bg-warning-tint',
      )}
    >
      <div className="min-w-0 grow basis-64">
        <p className="font-medium break-words">{reason}</p>
        {step && <p className="break-words text-ink-soft">{step}</p>}
      </div>
      {ask && (
        <Button look="primary" size="small" isBusy={isBusy} onClick={() => void act()}>
          {ask.does}
        </Button>
      )}
      {error !== undefined && (
        <div className="w-full">
          <ProblemNotice error={error} />
        </div>
      )}
    </div>
  );
}
