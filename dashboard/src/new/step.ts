import type { Draft } from './draft';

/** What every step of the wizard is given. */
export interface StepProps {
  draft: Draft;
  change: (some: Partial<Draft>) => void;
  /** What is wrong, by field; empty until someone tried to go on. */
  faults: Map<string, string>;
}
