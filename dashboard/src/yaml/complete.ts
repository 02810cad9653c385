import { child, schemaAt, type Schema } from './schema';

/** Where a cursor stands, going by indentation: a text that is being written is seldom a whole one. */
export interface Place {
  /** Keys above the cursor, from the top. */
  path: (string | number)[];
  /** Set when the cursor is behind a key's colon. */
  key: string | undefined;
  /** What has been typed of the word. */
  word: string;
  /** Keys that stand beside it already. */
  siblings: string[];
}

const entry = /^(\s*)((?:- )*)(?:"([^"]+)"|([\w./-]+))\s*:(?:\s+(.*))?$/;

/** Finds out where a cursor is. Pure. */
export function placeAt(text: string, position: number): Place {
  const before = text.slice(0, position).split('\n');
  const line = before.pop() ?? '';
  const valued = /^(\s*)((?:- )*)([\w./-]+):\s+(\S*)$/.exec(line);
  const typed = /^(\s*(?:- )*)(\S*)$/.exec(line);
  let indent = valued ? width(valued[1]!, valued[2]!) : width(typed?.[1] ?? line, '');
  const path: (string | number)[] = [];
  const own = indent;
  if ((valued?.[2] ?? typed?.[1] ?? '').includes('- ')) {
    path.unshift(0);
    indent -= 2;
  }
  for (let at = before.length - 1; at >= 0 && indent > 0; at -= 1) {
    const found = entry.exec(before[at]!);
    if (!found) continue;
    const [, spaces = '', dashes = '', quoted, plain = ''] = found;
    const there = width(spaces, dashes);
    const isInList = dashes !== '';
    if (there < indent) {
      path.unshift(quoted ?? plain);
      indent = there;
    }
    // A list's item belongs to the key above the list.
    if (isInList && there <= indent && spaces.length < indent) {
      path.unshift(0);
      indent = spaces.length + 1;
    }
  }
  const siblings = siblingsOf(text, before.length, own);
  return valued
    ? { path, key: valued[3], word: valued[4] ?? '', siblings }
    : { path, key: undefined, word: typed?.[2] ?? '', siblings };
}

function width(spaces: string, dashes: string): number {
  return spaces.length + dashes.length;
}

/** Keys of the same depth, above and below, as far as the block goes. */
function siblingsOf(text: string, line: number, indent: number): string[] {
  const lines = text.split('\n');
  const found: string[] = [];
  const look = (from: number, step: 1 | -1) => {
    for (let at = from; at >= 0 && at < lines.length; at += step) {
      const match = entry.exec(lines[at]!);
      if (!match) continue;
      const there = width(match[1]!, match[2]!);
      if (there < indent) return;
      if (there === indent) found.push(match[3] ?? match[4] ?? '');
      if (there === indent && step === -1 && match[2]) return;
    }
  };
  look(line - 1, -1);
  look(line + 1, 1);
  return found;
}

export interface Option {
  label: string;
  /** What is inserted; the label when absent. */
  insert?: string | undefined;
  detail?: string | undefined;
  info?: string | undefined;
}

/** What could be written at a place. Pure. */
export function optionsAt(place: Place, schema: Schema): Option[] {
  const here = schemaAt(schema, place.path);
  if (!here) return [];
  if (place.key !== undefined) {
    const value = child(here, place.key);
    if (value?.type === 'boolean') return [{ label: 'true' }, { label: 'false' }];
    return (value?.enum ?? []).flatMap((one) => (typeof one === 'string' ? [{ label: one, info: value?.description }] : []));
  }
  return Object.entries(here.properties ?? {})
    .filter(([name]) => !place.siblings.includes(name))
    .map(([name, property]) => ({
      label: name,
      insert: property.type === 'object' || property.type === 'array' ? `${name}:` : `${name}: `,
      detail: property.enum ? 'one of a few' : property.type,
      info: property.description,
    }));
}
