/** One thing that is wrong with what was sent, at a field. */
export interface Cause {
  field: string;
  message: string;
}

/** Why a request did not do what was asked. */
export type ProblemKind =
  | 'unreachable'
  | 'signed-out'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'invalid'
  | 'busy'
  | 'broken';

/** A failure as a person should be told of it: what happened, and what to do next. */
export interface Problem {
  kind: ProblemKind;
  /** HTTP status; 0 when there was no answer. */
  code: number;
  title: string;
  /** The server's own words. */
  message: string;
  nextStep: string;
  causes: Cause[];
}

interface StatusBody {
  message?: unknown;
  reason?: unknown;
  details?: { causes?: { field?: unknown; message?: unknown }[] };
}

const told: Record<ProblemKind, { title: string; nextStep: string }> = {
  unreachable: {
    title: 'The server does not answer',
    nextStep: 'Check that `mirage serve` runs. This page reconnects by itself, and nothing you typed is lost.',
  },
  'signed-out': {
    title: 'You are signed out',
    nextStep: 'Sign in with a token to go on where you were.',
  },
  forbidden: {
    title: 'You may not do this',
    nextStep: 'Ask an administrator for a role that allows it, or sign in with another token.',
  },
  missing: { title: 'It is not there', nextStep: 'It may have been deleted meanwhile. Go back to the list.' },
  conflict: {
    title: 'Someone else changed it meanwhile',
    nextStep: 'Look at both changes, merge them, and save again.',
  },
  invalid: { title: 'This cannot be accepted as written', nextStep: 'Correct the fields below and try again.' },
  busy: { title: 'The server is busy', nextStep: 'Wait a moment and try again.' },
  broken: { title: 'Something went wrong on the server', nextStep: "Try again; the server's log says more." },
};

function kindOf(code: number): ProblemKind {
  switch (code) {
    case 0:
    case 502:
    case 504:
      return 'unreachable';
    case 401:
      return 'signed-out';
    case 403:
      return 'forbidden';
    case 404:
      return 'missing';
    case 409:
      return 'conflict';
    case 400:
    case 413:
    case 415:
    case 422:
      return 'invalid';
    case 429:
    case 503:
      return 'busy';
    default:
      return 'broken';
  }
}

/** Reads the answer of a request that failed. `text` may be a Kubernetes Status, or whatever a proxy in between says. */
export function problemOf(code: number, text: string): Problem {
  const kind = kindOf(code);
  let body: StatusBody = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed && typeof parsed === 'object') body = parsed as StatusBody;
  } catch {
    // Not ours: a proxy's page says nothing to a person.
  }
  const causes = (body.details?.causes ?? []).map((cause) => ({
    field: typeof cause.field === 'string' ? cause.field : '',
    message: typeof cause.message === 'string' ? cause.message : '',
  }));
  const message = typeof body.message === 'string' ? body.message : '';
  return { kind, code, message, causes, ...told[kind] };
}

/** A failed request, thrown. */
export class RequestFailed extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message || problem.title);
    this.name = 'RequestFailed';
  }
}

/** What to show of anything that was thrown. */
export function shown(error: unknown): Problem {
  if (error instanceof RequestFailed) return error.problem;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'broken', code: 0, message, causes: [], ...told.broken, title: 'Something went wrong in this page' };
}
