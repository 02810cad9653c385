import type { Environment } from '~/api/kinds';
import { condition } from '~/environments/health';

/** What a person can do, by the reason that a condition gives. What heals by itself is not in it. */
const steps: Record<string, string> = {
  AwaitingApproval: 'Look at the plan below, and approve it if it is what you want.',
  WaitingForTemplate: 'Apply the template, or correct templateRef.',
  TemplateHalted: 'Mend the environment that failed, or the template; trying again goes on all the same.',
  RolloutHalted: 'Correct the spec, or try again.',
  RolledBack: 'Correct the spec, or try again: what is declared does not run.',
  WaitingForSecret: 'Create the Secret, or what the secret store is to hold, or correct the reference.',
  SecretStoreUnavailable: 'See to the secret store; it is asked again by itself.',
  CopySourceMissing: 'Correct copyFrom.',
  Unauthorized: 'Give Mirage a new token for Railway; Settings shows its credentials.',
  AccountNotReady: 'See to the credential; Settings shows what is wrong with it.',
  InvalidSpec: 'Correct the field in the YAML tab.',
  RailwayRefused: 'Change the spec as Railway says.',
  ApplyFailed: 'Change the spec as Railway says.',
  UnsupportedByRailway: 'A newer Mirage is needed.',
  Conflict: 'Choose another name, or delete the other object.',
  ImportDiffers: 'Correct the spec in the YAML tab, until it says what is there: the message lists the differences.',
  ImportMissing: 'Correct the annotation mirage.dev/import, or spec.project.',
  ProjectMissing: 'Correct project.id.',
  ServiceFailed: 'Look at the service’s message and its logs on Railway, then try again.',
  ServiceBlocked: 'Look at the service on Railway: it waits for a person there.',
  DriftFound: 'Look at the Drift tab: repair it, or take it into the spec.',
  Fighting: 'Take the field out of the spec, ignore it under drift, or stop the other side; then try again.',
  EverythingStopped: 'Look at the workspace’s usage on Railway.',
  Orphaned: 'Something could not be removed: `mirage get orphans` says what and why.',
};

/** Conditions in the order in which they matter to someone who wants to get on. */
const order = ['Degraded', 'Synced', 'Drifted', 'Ready'];

/** The next step for whoever looks after this environment; nothing when there is nothing to do. Pure. */
export function nextStep(environment: Environment): string | undefined {
  for (const type of order) {
    const step = steps[condition(environment, type)?.reason ?? ''];
    if (step) return step;
  }
  return undefined;
}
