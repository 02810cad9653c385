import type { Environment, PlannedAction } from '~/api/kinds';

export type StepState = 'done' | 'doing' | 'coming' | 'failed' | 'waiting';

export interface Step {
  label: string;
  state: StepState;
  note?: string | undefined;
}

const serviceSteps: Record<string, StepState> = {
  Ready: 'done',
  Sleeping: 'done',
  Stopped: 'done',
  Deploying: 'doing',
  Pending: 'coming',
  Unknown: 'coming',
  Blocked: 'waiting',
  Failed: 'failed',
};

/**
 * How far an environment has come: what the ledger says was made, what the plan says is to be done, and how the services
 * are. Only what the server said; nothing is guessed from the time that has passed. Pure.
 */
export function progressOf(environment: Environment): Step[] {
  const { status } = environment;
  if (!status) return [{ label: 'Mirage has not looked at it yet', state: 'coming' }];
  const steps: Step[] = [];
  for (const entry of status.ledger ?? []) {
    if (entry.kind !== 'Project' && entry.kind !== 'Environment') continue;
    steps.push({
      label: `${entry.kind} ${entry.name}`,
      state: entry.state === 'Made' ? 'done' : 'doing',
      note: entry.state === 'Made' ? 'made on Railway' : 'being made on Railway',
    });
  }
  const services = Object.entries(status.services ?? {});
  for (const [name, service] of services) {
    steps.push({
      label: name,
      state: serviceSteps[service.state] ?? 'coming',
      note: service.message ?? deploymentWords(service.deploymentStatus) ?? service.state.toLowerCase(),
    });
  }
  const isHeld = status.phase === 'Waiting';
  for (const action of status.plan?.actions ?? []) {
    steps.push({ label: action.sentence, state: isHeld ? 'waiting' : 'coming', note: reasonWords(action) });
  }
  return steps;
}

function deploymentWords(status: string | null | undefined): string | undefined {
  return status ? status.toLowerCase().replaceAll('_', ' ') : undefined;
}

/** Why an action is in a plan, in words. */
export function reasonWords(action: PlannedAction): string {
  switch (action.reason) {
    case 'Missing':
      return 'declared, and not there yet';
    case 'SpecChanged':
      return 'the spec changed';
    case 'Drifted':
      return 'changed on Railway';
    case 'NoLongerDeclared':
      return 'no longer declared';
    case 'Teardown':
      return 'torn down';
    case 'Suspension':
      return 'suspension';
    case 'Requested':
      return 'asked for';
    case 'RolledBack':
      return 'back to what was good';
  }
}

/** Done of all, in percent; nothing when there is nothing to do. */
export function percentOf(steps: Step[]): number | undefined {
  if (steps.length === 0) return undefined;
  return Math.round((steps.filter((step) => step.state === 'done').length / steps.length) * 100);
}
