import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button } from '~/ui/button';
import { classes } from '~/ui/classes';
import { RoomHead } from '~/ui/panel';
import { yaml } from '~/yaml/text';
import { ConfigurationStep } from './configuration-step';
import { blank, faultsOf, objectOf, secretName, secretValues, type Draft, type StepName } from './draft';
import { Review } from './review';
import { SourceStep } from './source-step';
import { StrategyStep } from './strategy-step';

const order: readonly { step: StepName; label: string }[] = [
  { step: 'source', label: 'Source' },
  { step: 'configuration', label: 'Configuration' },
  { step: 'strategy', label: 'Strategy' },
  { step: 'review', label: 'Review' },
];

interface Props {
  template: string;
}

/** Three steps, and a look at what they made before anything is done. */
export function NewRoom({ template }: Props) {
  const [draft, setDraft] = useState<Draft>({ ...blank, template });
  const [step, setStep] = useState<StepName>('source');
  const [isTried, setTried] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const at = order.findIndex((one) => one.step === step);
  const faults = faultsOf(draft, step);
  const change = (some: Partial<Draft>) => setDraft((before) => ({ ...before, ...some }));

  const go = (to: number) => {
    if (to > at && faults.size > 0) {
      setTried(true);
      return;
    }
    const next = order[to];
    if (!next) return;
    setTried(false);
    setStep(next.step);
    // Who cannot see the page change is told by the heading.
    requestAnimationFrame(() => heading.current?.focus());
  };

  const shown = { draft, change, faults: isTried ? faults : new Map<string, string>() };
  const secrets = secretValues(draft);

  return (
    <div className="mx-auto max-w-5xl">
      <RoomHead title="New environment" note="Nothing is done before you have seen the plan." />
      <ol className="mb-5 flex gap-1.5" aria-label="Steps">
        {order.map(({ step: one, label }, index) => (
          <li key={one} className="grow basis-0" aria-current={one === step ? 'step' : undefined}>
            <button
              type="button"
              disabled={index > at}
              onClick={() => go(index)}
              className="block w-full text-left text-[13px] font-medium disabled:cursor-default"
            >
              <span className={classes('mb-1.5 block h-1.5 rounded-full', index <= at ? 'bg-primary' : 'bg-inset-strong')} />
              <span className={classes(index === at ? 'text-ink' : 'text-ink-soft', 'max-sm:text-xs')}>{label}</span>
            </button>
          </li>
        ))}
      </ol>
      <h2 ref={heading} tabIndex={-1} className="sr-only">
        {order[at]?.label}
      </h2>
      {step === 'source' && <SourceStep {...shown} />}
      {step === 'configuration' && <ConfigurationStep {...shown} />}
      {step === 'strategy' && <StrategyStep {...shown} />}
      {step === 'review' && (
        <Review
          text={yaml(objectOf(draft))}
          secret={secrets ? { name: secretName(draft), values: secrets } : undefined}
          onBack={() => go(at - 1)}
        />
      )}
      {step !== 'review' && (
        <div className="mt-5 flex items-center justify-between gap-3">
          <Button look="quiet" disabled={at === 0} onClick={() => go(at - 1)}>
            <ChevronLeft className="size-4" aria-hidden /> Back
          </Button>
          {isTried && faults.size > 0 && (
            <p role="alert" className="text-[13px] text-danger">
              {faults.size === 1 ? 'One thing is' : `${faults.size} things are`} still missing.
            </p>
          )}
          <Button look="primary" onClick={() => go(at + 1)}>
            {at === order.length - 2 ? 'Review' : 'Next'} <ChevronRight className="size-4" aria-hidden />
          </Button>
        </div>
      )}
    </div>
  );
}
