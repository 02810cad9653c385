import type { Environment, PlannedAction } from '~/api/kinds';

/** One difference that nobody asked for here, side by side. */
export interface Difference {
  /** Stable key of the plan's action. */
  target: string;
  /** A service's name, or nothing for the environment itself. */
  service: string | undefined;
  /** What it is about, for people. */
  subject: string;
  declared: string;
  actual: string;
  /** The change of the spec that takes what Railway has for what is wanted; nothing where a spec cannot say that. */
  accept: { spec: Record<string, unknown>; says: string } | undefined;
}

/** The drift of an environment as differences. Pure. */
export function differencesOf(environment: Environment): Difference[] {
  return (environment.status?.drift ?? []).map((action) => differenceOf(environment, action));
}

interface Target {
  service: string | undefined;
  rest: string[];
}

/** Targets are paths such as `service/web/variable/LOG_LEVEL`, `service/web/deploy.replicas` or `variable/LOG_LEVEL`. */
function parse(target: string): Target {
  const parts = target.split('/');
  if (parts[0] === 'service' && parts[1]) return { service: parts[1], rest: parts.slice(2) };
  return { service: undefined, rest: parts };
}

function differenceOf(environment: Environment, action: PlannedAction): Difference {
  const { service, rest } = parse(action.target);
  const within = (change: unknown) =>
    service ? { services: { [service]: change } } : (change as Record<string, unknown>);
  const base = { target: action.target, service };
  const [first, name] = rest;

  if (first === 'variable' && name) {
    const declared = service
      ? environment.spec.services?.[service]?.variables?.[name]
      : environment.spec.variables?.[name];
    return {
      ...base,
      subject: `variable ${name}`,
      declared: action.verb === 'delete' ? 'not declared' : variableWords(declared),
      actual: action.verb === 'create' ? 'not there' : 'another value (values are compared without being shown)',
      accept:
        action.verb === 'create'
          ? { spec: within({ variables: { [name]: null } }), says: 'it is taken out of the spec' }
          : {
              spec: within({ variables: { [name]: { preserve: true } } }),
              says: 'the spec leaves its value to Railway (preserve)',
            },
    };
  }

  const setting = /\bset (\S+) from (.+) to (.+)$/s.exec(action.sentence);
  if (service && setting) {
    const [, path = '', from = '', to = ''] = setting;
    const value = valueOf(from);
    return {
      ...base,
      subject: path,
      declared: to,
      actual: from,
      accept:
        value === undefined
          ? undefined
          : { spec: within(nested(path.split('.'), value.value)), says: `the spec says ${from} from then on` },
    };
  }

  if (service && rest.length === 0) {
    return {
      ...base,
      subject: 'the whole service',
      declared: 'declared',
      actual: 'not there',
      accept: { spec: within(null), says: 'the service is taken out of the spec' },
    };
  }
  return {
    ...base,
    subject: rest.join(' ') || action.target,
    declared: action.verb === 'delete' ? 'not declared' : 'declared',
    actual: action.verb === 'create' ? 'not there' : 'different',
    accept: undefined,
  };
}

/** A value of a plan's sentence, which writes them as JSON; a sentence for "nothing set" takes the field out. */
function valueOf(text: string): { value: unknown } | undefined {
  if (text === "Railway's default") return { value: null };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function nested(path: string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

function variableWords(variable: unknown): string {
  if (typeof variable === 'string' || typeof variable === 'number' || typeof variable === 'boolean') {
    return String(variable);
  }
  if (variable && typeof variable === 'object') {
    const [kind] = Object.keys(variable);
    switch (kind) {
      case 'secretRef':
        return 'from a secret';
      case 'generate':
        return 'made up by Mirage';
      case 'copyFrom':
        return 'copied once';
      case 'preserve':
        return 'whatever Railway has';
    }
  }
  return 'from a template';
}
