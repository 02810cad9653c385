import type { EnvironmentSpec, EnvironmentType } from '~/api/kinds';

export type ServiceKind = 'repo' | 'image' | 'postgres' | 'mysql' | 'redis' | 'mongo';

export interface DraftService {
  name: string;
  kind: ServiceKind;
  /** Folder of the repository; for `repo`. */
  folder: string;
  image: string;
  isPublic: boolean;
  port: string;
  healthPath: string;
  dependsOn: string[];
}

export interface DraftVariable {
  name: string;
  value: string;
  /** Nothing: shared by all services. */
  service: string;
  /** Kept in a Secret, to which the spec only refers. */
  isSecret: boolean;
}

/** What the wizard knows, as it was typed. */
export interface Draft {
  name: string;
  namespace: string;
  type: EnvironmentType;
  project: string;
  repo: string;
  branch: string;
  services: DraftService[];
  template: string;
  ttl: string;
  /** vCPUs and GiB for each service of one's own; 0 for Railway's default. */
  cpu: number;
  memory: number;
  variables: DraftVariable[];
  strategy: 'parallel' | 'sequential';
  /** How long a service may take to become healthy; nothing for Mirage's default. */
  healthTimeout: string;
  onFailure: 'halt' | 'rollback';
  drift: 'repair' | 'report' | 'ignore';
  approval: 'automatic' | 'destructive' | 'always';
}

export const blank: Draft = {
  name: '',
  namespace: 'default',
  type: 'dev',
  project: '',
  repo: '',
  branch: 'main',
  services: [],
  template: '',
  ttl: '',
  cpu: 0,
  memory: 0,
  variables: [],
  strategy: 'parallel',
  healthTimeout: '',
  onFailure: 'halt',
  drift: 'repair',
  approval: 'automatic',
};

export function service(name: string, kind: ServiceKind): DraftService {
  return { name, kind, folder: '', image: '', isPublic: false, port: '', healthPath: '', dependsOn: [] };
}

export const isEngine = (kind: ServiceKind): boolean => kind !== 'repo' && kind !== 'image';

/** Name of the Secret that holds the draft's secret values. */
export function secretName(draft: Draft): string {
  return `${draft.name}-variables`;
}

/** The Secret's key for a variable: two services may have variables of one name. */
export function secretKey(variable: DraftVariable): string {
  return variable.service ? `${variable.service}.${variable.name}` : variable.name;
}

/** What goes into the Secret; nothing when there is nothing secret. */
export function secretValues(draft: Draft): Record<string, string> | undefined {
  const secret = draft.variables.filter((variable) => variable.isSecret && variable.name !== '');
  if (secret.length === 0) return undefined;
  return Object.fromEntries(secret.map((variable) => [secretKey(variable), variable.value]));
}

type Json = Record<string, unknown>;

function without(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== ''));
}

function variablesOf(draft: Draft, of: string): Json | undefined {
  const own = draft.variables.filter((variable) => variable.service === of && variable.name !== '');
  if (own.length === 0) return undefined;
  return Object.fromEntries(
    own.map((variable) => [
      variable.name,
      variable.isSecret ? { secretRef: { name: secretName(draft), key: secretKey(variable) } } : variable.value,
    ]),
  );
}

/** The object that the draft describes. Says nothing where the draft says nothing: the rest is inherited. Pure. */
export function objectOf(draft: Draft): { apiVersion: string; kind: string; metadata: Json; spec: EnvironmentSpec } {
  const services: Json = {};
  for (const each of draft.services) services[each.name] = serviceOf(draft, each);
  const hasRepo = draft.services.some((each) => each.kind === 'repo') && draft.repo.trim() !== '';
  const spec = without({
    type: draft.type,
    project: draft.project.trim() ? { name: draft.project.trim() } : undefined,
    templateRef: draft.template ? { name: draft.template } : undefined,
    source: hasRepo ? without({ repo: draft.repo.trim(), branch: draft.branch.trim() }) : undefined,
    ttl: draft.ttl.trim(),
    rollout: rolloutOf(draft),
    drift: draft.drift === 'repair' ? undefined : { mode: draft.drift },
    approval: draft.approval === 'automatic' ? undefined : draft.approval,
    variables: variablesOf(draft, ''),
    services,
  });
  return {
    apiVersion: 'mirage.dev/v1alpha1',
    kind: 'Environment',
    metadata: without({ name: draft.name.trim(), namespace: draft.namespace === 'default' ? '' : draft.namespace }),
    spec: spec as EnvironmentSpec,
  };
}

function rolloutOf(draft: Draft): Json | undefined {
  const rollout = without({
    strategy: draft.strategy === 'parallel' ? undefined : draft.strategy,
    healthTimeout: draft.healthTimeout.trim(),
    onFailure: draft.onFailure === 'halt' ? undefined : draft.onFailure,
  });
  return Object.keys(rollout).length > 0 ? rollout : undefined;
}

function serviceOf(draft: Draft, each: DraftService): Json {
  const isOwn = !isEngine(each.kind);
  const limits = isOwn
    ? without({
        cpu: draft.cpu > 0 ? draft.cpu : undefined,
        memory: draft.memory > 0 ? memoryText(draft.memory) : undefined,
      })
    : {};
  const deploy = without({
    healthcheck: each.healthPath.trim() ? { path: each.healthPath.trim() } : undefined,
    limits: Object.keys(limits).length > 0 ? limits : undefined,
  });
  return without({
    engine: isOwn ? undefined : each.kind,
    source:
      each.kind === 'image'
        ? { image: each.image.trim() }
        : each.kind === 'repo' && each.folder.trim()
          ? { rootDirectory: each.folder.trim() }
          : undefined,
    deploy: Object.keys(deploy).length > 0 ? deploy : undefined,
    variables: variablesOf(draft, each.name),
    domains: each.isPublic ? [without({ port: each.port ? Number(each.port) : undefined })] : undefined,
    dependsOn: each.dependsOn.length > 0 ? each.dependsOn : undefined,
  });
}

/** GiB as the spec writes it. */
export function memoryText(gib: number): string {
  return gib < 1 ? `${Math.round(gib * 1024)}Mi` : `${gib}Gi`;
}

export type StepName = 'source' | 'configuration' | 'strategy' | 'review';

/** What is still wrong at a step, by field. Pure. */
export function faultsOf(draft: Draft, step: StepName): Map<string, string> {
  const faults = new Map<string, string>();
  if (step === 'source') {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(draft.name.trim())) {
      faults.set('name', 'Lower-case letters, digits and dashes, at most 63; begins and ends with a letter or digit.');
    }
    if (draft.project.trim() === '') faults.set('project', 'Name the Railway project; it is made if there is none.');
    if (draft.services.length === 0) faults.set('services', 'Add at least one service.');
    const names = new Set<string>();
    for (const [index, each] of draft.services.entries()) {
      if (each.name.trim() === '') faults.set(`services.${index}.name`, 'Name it.');
      else if (names.has(each.name)) faults.set(`services.${index}.name`, 'Another service has this name.');
      names.add(each.name);
      if (each.kind === 'image' && each.image.trim() === '') faults.set(`services.${index}.image`, 'Which image?');
      if (each.port !== '' && !(Number(each.port) >= 1 && Number(each.port) <= 65_535)) {
        faults.set(`services.${index}.port`, 'A port is a number from 1 to 65535.');
      }
    }
    if (draft.services.some((each) => each.kind === 'repo') && !/^[\w.-]+\/[\w.-]+$/.test(draft.repo.trim())) {
      faults.set('repo', 'Write it as owner/name.');
    }
  }
  if (step === 'configuration') {
    if (draft.ttl.trim() && !/^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/.test(draft.ttl.trim())) {
      faults.set('ttl', 'Write it as 8h, 3d or 1w2d.');
    }
    for (const [index, variable] of draft.variables.entries()) {
      if (!/^[A-Za-z_]\w*$/.test(variable.name)) {
        faults.set(`variables.${index}`, 'Letters, digits and underscores; does not begin with a digit.');
      }
    }
  }
  if (step === 'strategy') {
    if (!/^(\d+h)?(\d+m)?(\d+s)?$/.test(draft.healthTimeout.trim())) {
      faults.set('healthTimeout', 'Write it as 10m or 90s.');
    }
  }
  return faults;
}
