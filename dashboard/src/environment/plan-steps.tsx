import { Minus, Pencil, Plus, Rocket } from 'lucide-react';
import type { Plan, PlannedAction } from '~/api/kinds';
import { classes } from '~/ui/classes';
import { Mark } from '~/ui/status';
import { reasonWords } from './progress';

const verbs = {
  create: { icon: Plus, look: 'bg-healthy-tint text-healthy', word: 'create' },
  update: { icon: Pencil, look: 'bg-info-tint text-info', word: 'change' },
  delete: { icon: Minus, look: 'bg-danger-tint text-danger', word: 'remove' },
  deploy: { icon: Rocket, look: 'bg-primary-tint text-primary', word: 'deploy' },
} as const;

/** Actions under the service they are about, the environment's own first. */
export function grouped(actions: PlannedAction[]): [string, PlannedAction[]][] {
  const found = new Map<string, PlannedAction[]>([['', []]]);
  for (const action of actions) {
    const service = /^service\/([^/]+)/.exec(action.target)?.[1] ?? '';
    const there = found.get(service);
    if (there) there.push(action);
    else found.set(service, [action]);
  }
  return [...found].filter(([, some]) => some.length > 0);
}

/** A plan as steps that can be read aloud. */
export function PlanSteps({ plan }: { plan: Plan }) {
  const actions = plan.actions ?? [];
  if (actions.length === 0) {
    return <p className="text-ink-soft">Nothing would change: Railway is as declared.</p>;
  }
  const destroying = actions.filter((action) => action.destroys).length;
  return (
    <div>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Mark tone="info">
          {actions.length} {actions.length === 1 ? 'step' : 'steps'}
        </Mark>
        <Mark tone="idle">
          {plan.requests ?? 0} Railway {plan.requests === 1 ? 'request' : 'requests'}
        </Mark>
        {destroying > 0 && <Mark tone="danger">{destroying} destroying</Mark>}
        <code className="ml-auto font-mono text-xs text-ink-soft" title="The plan's hash: an approval is for this plan only">
          {plan.hash}
        </code>
      </div>
      <ol className="space-y-3">
        {grouped(actions).map(([service, some]) => (
          <li key={service}>
            <h3 className="mb-1 text-[13px] font-semibold">{service || 'Environment'}</h3>
            <ol className="space-y-1">
              {some.map((action) => (
                <PlanStep key={`${action.target} ${action.verb}`} action={action} />
              ))}
            </ol>
          </li>
        ))}
      </ol>
    </div>
  );
}

function PlanStep({ action }: { action: PlannedAction }) {
  const { icon: Icon, look, word } = verbs[action.verb];
  return (
    <li className="flex items-start gap-2.5 rounded-lg bg-inset px-2.5 py-1.5">
      <span className={classes('mt-0.5 inline-flex size-5 shrink-0 items-center justify-center rounded-md', look)}>
        <Icon className="size-3.5" aria-hidden />
        <span className="sr-only">{word}</span>
      </span>
      <span className="min-w-0 grow break-words">
        {action.sentence.replace(/^[\w.-]+: /, '')}
        <span className="ml-2 text-[13px] text-ink-soft">{reasonWords(action)}</span>
      </span>
      {action.destroys && <Mark tone="danger">destroys</Mark>}
      {action.deploys && !action.destroys && <Mark tone="idle">deploys</Mark>}
    </li>
  );
}
