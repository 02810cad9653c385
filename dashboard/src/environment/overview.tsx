import type { Environment } from '~/api/kinds';
import { Panel } from '~/ui/panel';
import { Conditions } from './conditions';
import { Identity } from './identity';
import { PlanSteps } from './plan-steps';
import { Progress } from './progress-panel';
import { ServiceCard } from './service-card';
import { Timeline } from './timeline';

/** How it is, at one look. */
export function Overview({ environment }: { environment: Environment }) {
  const { spec, status } = environment;
  const names = [...new Set([...Object.keys(spec.services ?? {}), ...Object.keys(status?.services ?? {})])].sort();
  const plan = status?.plan;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[minmax(0,1fr)_24rem]">
      <div className="grid min-w-0 gap-4">
        <Panel title="Services" note={`${status?.servicesReady ?? '0'} up`}>
          <div className="grid gap-3 sm:grid-cols-2">
            {names.map((name) => (
              <ServiceCard
                key={name}
                name={name}
                spec={spec.services?.[name]}
                inherited={spec.source}
                status={status?.services?.[name]}
              />
            ))}
          </div>
          {names.length === 0 && <p className="text-ink-soft">It declares no services.</p>}
        </Panel>
        {plan && (plan.actions?.length ?? 0) > 0 && (
          <Panel title="Current plan" note="What Mirage is about to do on Railway.">
            <PlanSteps plan={plan} />
          </Panel>
        )}
        <Timeline environment={environment} />
      </div>
      <div className="grid min-w-0 gap-4">
        <Progress environment={environment} />
        <Conditions environment={environment} />
        <Identity environment={environment} />
      </div>
    </div>
  );
}
