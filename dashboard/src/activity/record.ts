/** A record of the audit log, as `GET /api/v1/audit` gives it. */
export interface Record {
  auditId: string;
  sequence: number;
  time: string;
  user: { name: string; token?: string };
  verb: string;
  effect?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  from: { address?: string; agent?: string };
  outcome: { code: number; reason?: string; message?: string };
  count?: number;
  changes?: Change[];
}

export interface Change {
  path: string;
  before?: unknown;
  after?: unknown;
}

export interface Page {
  items: Record[];
  continue?: string;
}

const past: { [verb: string]: string } = {
  create: 'made',
  update: 'changed',
  patch: 'changed',
  delete: 'deleted',
  deletecollection: 'deleted all of',
  get: 'read',
  list: 'listed',
  watch: 'watched',
};

/** What was done, as a sentence without its subject. */
export function sentenceOf(record: Record): string {
  const kind = (record.resource ?? 'the server').split('.')[0]!.replace(/ies$/, 'y').replace(/s$/, '');
  const what = [kind, record.name].filter(Boolean).join(' ');
  // Who applies what is not there makes it.
  const done = record.effect === 'created' ? 'made' : (past[record.verb] ?? record.verb);
  const part = record.subresource ? `the ${record.subresource} of ` : '';
  return record.outcome.code >= 400 ? `was refused: ${record.verb} ${part}${what}` : `${done} ${part}${what}`;
}

/** A changed value on one line. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Only what its owner wrote: a generation of the spec each. */
export function isOfSpec(record: Record): boolean {
  if (record.outcome.code >= 400) return false;
  return record.effect === 'created' || (record.changes ?? []).some((change) => change.path.startsWith('spec'));
}
