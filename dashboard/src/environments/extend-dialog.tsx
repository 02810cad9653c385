import { useState } from 'react';
import type { Environment } from '~/api/kinds';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import { ProblemNotice } from '~/ui/problem';
import { Segmented } from '~/ui/segmented';
import { toast } from '~/ui/toast';
import { extend } from './actions';
import { extended } from './lifetime';

const spans = [
  { value: '3600', label: '1 hour' },
  { value: '28800', label: '8 hours' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '1 week' },
] as const;

type Span = (typeof spans)[number]['value'];

/** Lets an environment live longer. */
export function ExtendDialog({ environment, onClose }: { environment: Environment; onClose: () => void }) {
  const [span, setSpan] = useState<Span>('86400');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const { name } = environment.metadata;
  const { until } = extended(environment, Number(span), new Date());

  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await extend(environment, Number(span));
      toast('healthy', `${name} lives longer`, `Until ${until.toLocaleString()}`);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Let ${name} live longer`}
      note={
        environment.status?.expiresAt
          ? `It ends ${new Date(environment.status.expiresAt).toLocaleString()}.`
          : 'It has no end yet; from then on it has one.'
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" isBusy={isBusy} onClick={() => void confirm()}>
            Extend
          </Button>
        </>
      }
    >
      <Segmented label="By how long" value={span} options={spans} onChange={setSpan} />
      <p className="mt-3 text-ink-soft">
        Then it ends <strong className="font-medium text-ink">{until.toLocaleString()}</strong>.
      </p>
      {error !== undefined && <ProblemNotice error={error} />}
    </Dialog>
  );
}
