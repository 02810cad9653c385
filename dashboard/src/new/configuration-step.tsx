import { FileUp, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { EnvironmentTemplate } from '~/api/kinds';
import { templates } from '~/api/resource';
import { useLive, whole } from '~/live/useLive';
import { shipped } from '~/templates/shipped';
import { Button, IconButton } from '~/ui/button';
import { Choice, TextField } from '~/ui/field';
import { Panel } from '~/ui/panel';
import { memoryText, type DraftVariable } from './draft';
import { EnvImport } from './env-import';
import { Inheritance } from './inheritance';
import type { StepProps } from './step';

/** What it inherits, how long it lives, how much it may use, and its variables. */
export function ConfigurationStep({ draft, change, faults }: StepProps) {
  const { objects } = useLive({ resource: templates, namespace: draft.namespace }, whole<EnvironmentTemplate>);
  const [isImporting, setImporting] = useState(false);
  const own = [...objects.values()];
  const known = [...own, ...shipped.filter((one) => !own.some((other) => other.metadata.name === one.metadata.name))];
  const template = known.find((one) => one.metadata.name === draft.template);
  const options = [
    { value: '', label: 'None' },
    ...known.map((one) => ({ value: one.metadata.name, label: one.metadata.name })),
  ];
  const places = [
    { value: '', label: 'all services' },
    ...draft.services.map((each) => ({ value: each.name, label: each.name })),
  ];
  const set = (index: number, some: Partial<DraftVariable>) =>
    change({ variables: draft.variables.map((each, at) => (at === index ? { ...each, ...some } : each)) });

  return (
    <div className="grid gap-4">
      <Panel title="Template and life">
        <div className="grid gap-4 sm:grid-cols-2">
          <Choice
            label="Template"
            value={draft.template}
            options={options}
            onChange={(name) => change({ template: name })}
            note={template?.spec.description ?? 'Everything is said here.'}
          />
          <TextField
            label="Lives for"
            value={draft.ttl}
            onChange={(event) => change({ ttl: event.target.value })}
            placeholder="for ever"
            note="Counted from its creation: 8h, 3d, 1w. Then it is torn down."
            fault={faults.get('ttl')}
          />
        </div>
      </Panel>
      <Panel title="Size" note="Upper bounds for each replica of your own services.">
        <div className="grid gap-5 sm:grid-cols-2">
          <Slider
            label="CPU"
            value={draft.cpu}
            max={8}
            step={0.5}
            shown={draft.cpu === 0 ? "Railway's default" : `${draft.cpu} vCPU`}
            onChange={(cpu) => change({ cpu })}
          />
          <Slider
            label="Memory"
            value={draft.memory}
            max={16}
            step={0.5}
            shown={draft.memory === 0 ? "Railway's default" : memoryText(draft.memory)}
            onChange={(memory) => change({ memory })}
          />
        </div>
      </Panel>
      <Panel
        title="Variables"
        note="References such as ${{postgres.DATABASE_URL}} work. Secret ones go into a Secret, and the spec only refers to it."
        aside={
          <div className="flex gap-2">
            <Button size="small" onClick={() => setImporting(true)}>
              <FileUp className="size-4" aria-hidden /> Import .env
            </Button>
            <Button
              size="small"
              onClick={() =>
                change({ variables: [...draft.variables, { name: '', value: '', service: '', isSecret: false }] })
              }
            >
              <Plus className="size-4" aria-hidden /> Variable
            </Button>
          </div>
        }
      >
        {draft.variables.length === 0 && <p className="py-2 text-ink-soft">None.</p>}
        <ul className="grid gap-2">
          {draft.variables.map((variable, index) => (
            <li key={index} className="grid items-center gap-2 sm:grid-cols-[1.2fr_1.6fr_1fr_auto_auto]">
              <input
                aria-label="Variable name"
                aria-invalid={faults.has(`variables.${index}`) || undefined}
                className="field w-full font-mono text-[13px] aria-invalid:border-danger"
                placeholder="NAME"
                value={variable.name}
                onChange={(event) => set(index, { name: event.target.value.trim() })}
              />
              <input
                aria-label={`Value of ${variable.name || 'the variable'}`}
                type={variable.isSecret ? 'password' : 'text'}
                autoComplete="off"
                className="field w-full font-mono text-[13px]"
                placeholder="value"
                value={variable.value}
                onChange={(event) => set(index, { value: event.target.value })}
              />
              <Choice
                isLabelHidden
                label={`Who has ${variable.name || 'the variable'}`}
                value={variable.service}
                options={places}
                onChange={(to) => set(index, { service: to })}
              />
              <label className="inline-flex items-center gap-2 text-[13px]">
                <input
                  type="checkbox"
                  className="size-4 accent-(--primary)"
                  checked={variable.isSecret}
                  onChange={(event) => set(index, { isSecret: event.target.checked })}
                />
                secret
              </label>
              <IconButton
                label={`Remove ${variable.name || 'the variable'}`}
                onClick={() => change({ variables: draft.variables.filter((_, at) => at !== index) })}
              >
                <Trash2 className="size-4" aria-hidden />
              </IconButton>
              {faults.get(`variables.${index}`) && (
                <p className="col-span-full text-[13px] text-danger">{faults.get(`variables.${index}`)}</p>
              )}
            </li>
          ))}
        </ul>
      </Panel>
      {template && <Inheritance draft={draft} />}
      {isImporting && (
        <EnvImport
          places={places}
          onClose={() => setImporting(false)}
          onImport={(some) => {
            const isNew = (old: DraftVariable) =>
              !some.some((variable) => variable.name === old.name && variable.service === old.service);
            change({ variables: [...draft.variables.filter(isNew), ...some] });
            setImporting(false);
          }}
        />
      )}
    </div>
  );
}

function Slider({
  label,
  value,
  max,
  step,
  shown,
  onChange,
}: {
  label: string;
  value: number;
  max: number;
  step: number;
  shown: string;
  onChange: (value: number) => void;
}) {
  return (
    <label className="block">
      <span className="mb-1 flex justify-between text-[13px]">
        <span className="font-medium">{label}</span>
        <output className="text-ink-soft tabular-nums">{shown}</output>
      </span>
      <input
        type="range"
        min={0}
        max={max}
        step={step}
        value={value}
        aria-valuetext={shown}
        onChange={(event) => onChange(Number(event.target.value))}
        className="w-full accent-(--primary)"
      />
    </label>
  );
}
