/** The part of OpenAPI's schema that Mirage's kinds use. */
export interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  enum?: unknown[];
  required?: string[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  nullable?: boolean;
  default?: unknown;
  allOf?: Schema[];
  $ref?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** A document of `/openapi/v3`. */
export interface Document {
  components: { schemas: Record<string, Schema> };
}

/** Puts what is referred to in the place of references, so that walking a schema needs nothing else. */
export function resolved(document: Document, name: string): Schema {
  const seen = new Set<string>();
  const resolve = (schema: Schema): Schema => {
    if (schema.$ref) {
      const target = schema.$ref.replace('#/components/schemas/', '');
      const found = document.components.schemas[target];
      if (!found || seen.has(target)) return {};
      seen.add(target);
      const result = resolve(found);
      seen.delete(target);
      return result;
    }
    const { allOf, ...own } = schema;
    const merged: Schema = Object.assign({}, ...(allOf ?? []).map(resolve), own);
    if (merged.properties) {
      merged.properties = Object.fromEntries(
        Object.entries(merged.properties).map(([key, value]) => [key, resolve(value)]),
      );
    }
    if (merged.items) merged.items = resolve(merged.items);
    if (typeof merged.additionalProperties === 'object') {
      merged.additionalProperties = resolve(merged.additionalProperties);
    }
    return merged;
  };
  return resolve(document.components.schemas[name] ?? {});
}

/** What may stand at a path; nothing where anything may. */
export function schemaAt(schema: Schema, path: readonly (string | number)[]): Schema | undefined {
  let here: Schema | undefined = schema;
  for (const step of path) {
    if (!here) return undefined;
    here = typeof step === 'number' ? here.items : child(here, step);
  }
  return here;
}

/** What may stand under a key. */
export function child(schema: Schema, key: string): Schema | undefined {
  const known = schema.properties?.[key];
  if (known) return known;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** Whether a key that the schema does not name is a mistake. */
export function isClosed(schema: Schema): boolean {
  return (
    schema.properties !== undefined &&
    !schema.additionalProperties &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true
  );
}
