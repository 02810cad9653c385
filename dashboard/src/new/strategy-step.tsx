import { TextField, Choice } from '~/ui/field';
import { Panel } from '~/ui/panel';
import { classes } from '~/ui/classes';
import { isEngine, type DraftService } from './draft';
import type { StepProps } from './step';

const strategies = [
  { value: 'parallel', label: 'All at once', note: 'Railway orders by references between variables. Quickest.' },
  { value: 'sequential', label: 'Wave by wave', note: 'What others depend on first, each wave waits until the last is healthy.' },
] as const;

const failures = [
  { value: 'halt', label: 'Stop there; what serves goes on serving' },
  { value: 'rollback', label: 'Go back to what was healthy last' },
] as const;

const drifts = [
  { value: 'repair', label: 'Repair it' },
  { value: 'report', label: 'Report it, change nothing' },
  { value: 'ignore', label: 'Do not look' },
] as const;

const approvals = [
  { value: 'automatic', label: 'Nobody: plans run' },
  { value: 'destructive', label: 'A person, for what destroys something' },
  { value: 'always', label: 'A person, for every plan' },
] as const;

/** In which order it comes up, how one knows that it did, and what happens when it does not. */
export function StrategyStep({ draft, change, faults }: StepProps) {
  const set = (index: number, some: Partial<DraftService>) =>
    change({ services: draft.services.map((each, at) => (at === index ? { ...each, ...some } : each)) });
  return (
    <div className="grid gap-4">
      <Panel title="Rollout">
        <div role="radiogroup" aria-label="Order of a rollout" className="grid gap-3 sm:grid-cols-2">
          {strategies.map(({ value, label, note }) => (
            <label
              key={value}
              className={classes(
                'flex cursor-pointer gap-3 rounded-xl border p-3.5',
                draft.strategy === value ? 'border-primary bg-primary-tint' : 'border-line-strong',
              )}
            >
              <input
                type="radio"
                name="strategy"
                className="mt-1 accent-(--primary)"
                checked={draft.strategy === value}
                onChange={() => change({ strategy: value })}
              />
              <span>
                <span className="block font-medium">{label}</span>
                <span className="text-[13px] text-ink-soft">{note}</span>
              </span>
            </label>
          ))}
        </div>
        <div className="mt-4 grid gap-4 sm:grid-cols-2">
          <TextField
            label="Healthy within"
            placeholder="10m"
            value={draft.healthTimeout}
            onChange={(event) => change({ healthTimeout: event.target.value })}
            fault={faults.get('healthTimeout')}
            note="A service that takes longer has failed."
          />
          <Choice
            label="When a service fails"
            value={draft.onFailure}
            options={failures}
            onChange={(onFailure) => change({ onFailure })}
            note="Either way nothing else is deployed until you try again or change the spec."
          />
        </div>
      </Panel>
      <Panel title="Health and dependencies" note="A health check is a path that answers 200 when the service may take traffic.">
        <ul className="grid gap-3">
          {draft.services.map((each, index) => (
            <li key={each.name} className="grid items-start gap-3 sm:grid-cols-[8rem_1fr_1.4fr]">
              <strong className="pt-2 font-medium break-words">{each.name}</strong>
              {isEngine(each.kind) ? (
                <span className="pt-2 text-[13px] text-ink-soft">comes with its own</span>
              ) : (
                <input
                  aria-label={`Health check path of ${each.name}`}
                  className="field w-full"
                  placeholder="/health (none)"
                  value={each.healthPath}
                  onChange={(event) => set(index, { healthPath: event.target.value })}
                />
              )}
              <div role="group" aria-label={`${each.name} depends on`} className="flex flex-wrap gap-x-4 gap-y-1 pt-1.5">
                {draft.services
                  .filter((other) => other.name !== each.name && !other.dependsOn.includes(each.name))
                  .map((other) => (
                    <label key={other.name} className="inline-flex items-center gap-1.5 text-[13px]">
                      <input
                        type="checkbox"
                        className="size-4 accent-(--primary)"
                        checked={each.dependsOn.includes(other.name)}
                        onChange={(event) =>
                          set(index, {
                            dependsOn: event.target.checked
                              ? [...each.dependsOn, other.name]
                              : each.dependsOn.filter((name) => name !== other.name),
                          })
                        }
                      />
                      needs {other.name}
                    </label>
                  ))}
              </div>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="When something is not as declared">
        <div className="grid gap-4 sm:grid-cols-2">
          <Choice label="Drift on Railway" value={draft.drift} options={drifts} onChange={(drift) => change({ drift })} />
          <Choice
            label="Who lets plans run"
            value={draft.approval}
            options={approvals}
            onChange={(approval) => change({ approval })}
          />
        </div>
      </Panel>
    </div>
  );
}
