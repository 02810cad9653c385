import { parse, stringify } from 'yaml';

/**
 * The text to plan before its Secret is there: what it takes from that Secret is made up instead, which is the same step on
 * Railway. Only for a look; what is created is the text itself. Pure.
 */
export function previewText(text: string, secretName: string): string {
  const stands = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(stands);
    if (!value || typeof value !== 'object') return value;
    const reference = (value as { secretRef?: { name?: unknown } }).secretRef;
    if (reference?.name === secretName) return { generate: { length: 32 } };
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, stands(inner)]));
  };
  try {
    return stringify(stands(parse(text)));
  } catch {
    // Not YAML; the server says so better.
    return text;
  }
}
