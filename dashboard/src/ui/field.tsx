import { useId, type ComponentProps, type ReactNode } from 'react';
import { classes } from './classes';

/** A label above what it names, and below it what there is to say. */
export function Field({
  label,
  note,
  fault,
  children,
  className,
}: {
  label: ReactNode;
  note?: ReactNode;
  fault?: string | undefined;
  children: (ids: { id: string; describedBy: string | undefined }) => ReactNode;
  className?: string;
}) {
  const id = useId();
  const noteId = `${id}-note`;
  const hasNote = Boolean(note || fault);
  return (
    <div className={classes('min-w-0', className)}>
      <label htmlFor={id} className="mb-1 block text-[13px] font-medium">
        {label}
      </label>
      {children({ id, describedBy: hasNote ? noteId : undefined })}
      {hasNote && (
        <p id={noteId} className={classes('mt-1 text-[13px]', fault ? 'text-danger' : 'text-ink-soft')}>
          {fault ?? note}
        </p>
      )}
    </div>
  );
}

export function TextField({
  label,
  note,
  fault,
  className,
  ...input
}: Omit<ComponentProps<'input'>, 'id'> & { label: ReactNode; note?: ReactNode; fault?: string | undefined }) {
  return (
    <Field label={label} note={note} fault={fault} {...(className ? { className } : {})}>
      {({ id, describedBy }) => (
        <input
          id={id}
          className="field w-full"
          aria-describedby={describedBy}
          aria-invalid={fault ? true : undefined}
          autoComplete="off"
          spellCheck={false}
          {...input}
        />
      )}
    </Field>
  );
}

export function Choice<Value extends string>({
  label,
  value,
  options,
  onChange,
  note,
  isLabelHidden,
  className,
}: {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange: (value: Value) => void;
  note?: ReactNode;
  isLabelHidden?: boolean;
  className?: string;
}) {
  const select = (id: string | undefined, describedBy?: string) => (
    <select
      id={id}
      aria-label={isLabelHidden ? label : undefined}
      aria-describedby={describedBy}
      className="field select w-full"
      value={value}
      onChange={(event) => onChange(event.target.value as Value)}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
  if (isLabelHidden) return <div className={className}>{select(undefined)}</div>;
  return (
    <Field label={label} note={note} {...(className ? { className } : {})}>
      {({ id, describedBy }) => select(id, describedBy)}
    </Field>
  );
}
