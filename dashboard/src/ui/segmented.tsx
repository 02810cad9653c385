import { ToggleGroup } from 'radix-ui';
import type { ReactNode } from 'react';

/** One of a few, side by side. */
export function Segmented<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode; name?: string }[];
  onChange: (value: Value) => void;
}) {
  return (
    <ToggleGroup.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(chosen) => chosen && onChange(chosen as Value)}
      className="inline-flex h-9 items-center rounded-[10px] border border-line bg-inset p-[3px]"
    >
      {options.map((option) => (
        <ToggleGroup.Item
          key={option.value}
          value={option.value}
          aria-label={option.name}
          title={option.name}
          className="inline-flex h-full items-center gap-1.5 rounded-[7px] px-2.5 text-[13px] font-medium text-ink-soft transition-colors hover:text-ink data-[state=on]:bg-(--chosen) data-[state=on]:text-ink data-[state=on]:shadow-panel"
        >
          {option.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
