export type Tab = 'overview' | 'graph' | 'drift' | 'yaml' | 'history';

export const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'overview', label: 'Overview' },
  { value: 'graph', label: 'Graph' },
  { value: 'drift', label: 'Drift' },
  { value: 'yaml', label: 'YAML' },
  { value: 'history', label: 'History' },
];

/** Reads what an address says; the overview is not written out. */
export function tabOf(value: unknown): Tab | undefined {
  const found = tabs.find((tab) => tab.value === value)?.value;
  return found === 'overview' ? undefined : found;
}
