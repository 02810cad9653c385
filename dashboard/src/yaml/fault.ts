/** Something wrong in a text. */
export interface Fault {
  /** Where it begins, in characters of the text. */
  from: number;
  to: number;
  message: string;
  /** As `spec.services.web`; empty for what has no path. */
  path: string;
}

/** A path as people write it. */
export function dotted(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** The steps of such a path; keys in quotes or brackets as the server writes them. */
export function steps(path: string): (string | number)[] {
  const found = path.matchAll(/\[(\d+)\]|\["?([^\]"]+)"?\]|([^.[\]]+)/g);
  return [...found].map(([, index, quoted, plain]) => (index === undefined ? (quoted ?? plain ?? '') : Number(index)));
}
