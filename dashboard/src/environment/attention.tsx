import { useState } from 'react';
import type { Environment } from '~/api/kinds';
import { healthOf, reasonOf } from '~/environments/health';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { ProblemNotice } from '~/ui/problem';
import { toast } from '~/ui/toast';
import { answer, answered, askOf } from './ask';
import { nextStep } from './next-step';

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
      await answer(environment, ask);
      toast('healthy', answered(environment, ask));
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
          {ask.kind === 'approve' ? `Approve plan ${ask.hash}` : 'Try again'}
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
