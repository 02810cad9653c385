import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document as Parsed, type Node } from 'yaml';
import { dotted, steps, type Fault } from './fault';
import { nearest } from './nearest';
import { child, isClosed, type Schema } from './schema';

/** Checks a text against a schema, every fault with its place. What the server alone can tell is left to a dry run. Pure. */
export function check(text: string, schema: Schema): Fault[] {
  const document = parseDocument(text, { prettyErrors: false });
  const faults: Fault[] = [...document.errors, ...document.warnings].map((error) => ({
    from: error.pos[0],
    to: Math.max(error.pos[1], error.pos[0] + 1),
    message: error.message,
    path: '',
  }));
  if (document.errors.length === 0 && document.contents) walk(document.contents, schema, [], faults);
  return faults;
}

function walk(node: Node, schema: Schema, path: (string | number)[], faults: Fault[]): void {
  // What an alias stands for is checked where it is written.
  if (isAlias(node)) return;
  const [from = 0, to = from + 1] = node.range ?? [];
  const fault = (message: string, at: [number, number] = [from, to]) =>
    faults.push({ from: at[0], to: Math.max(at[1], at[0] + 1), message, path: dotted(path) });

  if (isMap(node)) {
    if (schema.type && schema.type !== 'object') return void fault(`${article(schema.type)} belongs here, not a map`);
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const name = String(key.value);
      const [start = from, end = to] = key.range ?? [];
      seen.add(name);
      const inner = child(schema, name);
      if (!inner && isClosed(schema)) {
        const meant = nearest(name, Object.keys(schema.properties ?? {}));
        const next = meant ? `did you mean ${meant}?` : `known are ${Object.keys(schema.properties ?? {}).join(', ')}`;
        faults.push({ from: start, to: end, message: `unknown field ${name}: ${next}`, path: dotted([...path, name]) });
        continue;
      }
      if (inner && value) walk(value as Node, inner, [...path, name], faults);
    }
    for (const required of schema.required ?? []) {
      if (!seen.has(required)) fault(`${required} is missing`, [from, Math.min(to, from + 1)]);
    }
    return;
  }
  if (isSeq(node)) {
    if (schema.type && schema.type !== 'array') return void fault(`${article(schema.type)} belongs here, not a list`);
    node.items.forEach((item, index) => {
      if (schema.items) walk(item as Node, schema.items, [...path, index], faults);
    });
    return;
  }
  if (isScalar(node)) {
    const message = scalarFault(node.value, schema);
    if (message) fault(message);
  }
}

/** What is wrong with a scalar. `null` takes away what is inherited, so that it may stand everywhere. */
function scalarFault(value: unknown, schema: Schema): string | undefined {
  if (value === null || !schema.type) return undefined;
  const shown = JSON.stringify(value);
  switch (schema.type) {
    case 'object':
      return `a map belongs here, not ${shown}`;
    case 'array':
      return `a list belongs here, not ${shown}`;
    case 'integer':
    case 'number':
      if (typeof value !== 'number') return `a number belongs here, not ${shown}`;
      if (schema.type === 'integer' && !Number.isInteger(value)) return `a whole number belongs here, not ${shown}`;
      if (schema.minimum !== undefined && value < schema.minimum) return `at least ${schema.minimum}, not ${shown}`;
      if (schema.maximum !== undefined && value > schema.maximum) return `at most ${schema.maximum}, not ${shown}`;
      return undefined;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `true or false belongs here, not ${shown}`;
    case 'string': {
      if (typeof value !== 'string') return `text belongs here, not ${shown}: put it in quotes`;
      if (schema.enum && !schema.enum.includes(value)) {
        const known = schema.enum.filter((one): one is string => typeof one === 'string');
        const meant = nearest(value, known);
        return `${shown} is none of ${known.join(', ')}${meant ? `: did you mean ${meant}?` : ''}`;
      }
      if (schema.pattern && !new RegExp(schema.pattern, 'u').test(value)) {
        return schema.description ? `${shown} is not of the right form. ${schema.description}` : `${shown} is not of the form ${schema.pattern}`;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Where in the text a path of the server's stands: the value's place, or the nearest parent's that is written. */
export function locate(document: Parsed, path: string): [number, number] {
  const wanted = steps(path);
  for (let length = wanted.length; length > 0; length -= 1) {
    const node = document.getIn(wanted.slice(0, length), true);
    if (node && typeof node === 'object' && 'range' in node) {
      const range = (node as Node).range;
      if (range) return [range[0], Math.max(range[1], range[0] + 1)];
    }
  }
  return [0, 1];
}

/** What the server found wrong, at its place in the text. */
export function placed(text: string, causes: readonly { field: string; message: string }[]): Fault[] {
  const document = parseDocument(text, { prettyErrors: false });
  return causes.map(({ field, message }) => {
    const [from, to] = locate(document, field);
    return { from, to, message, path: field };
  });
}

const articles: Record<string, string> = {
  object: 'a map',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function article(type: string): string {
  return articles[type] ?? type;
}
