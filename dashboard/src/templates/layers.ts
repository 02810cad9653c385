import type { EnvironmentTemplate } from '~/api/kinds';

type Json = unknown;

function isMap(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Brings two layers together as the server does: maps merge, everything else replaces, null takes away. Pure. */
export function over(below: Json, above: Json): Json {
  if (!isMap(below) || !isMap(above)) return above;
  const merged: Record<string, Json> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === null) delete merged[key];
    else merged[key] = key in merged ? over(merged[key], value) : value;
  }
  return merged;
}

/** Where a value of the effective spec comes from. */
export type Origin = 'base' | 'type' | 'own';

export interface Traced {
  path: string;
  value: Json;
  from: Origin;
}

/** The leaves of a layer, by path. */
function leaves(value: Json, path: string[] = []): [string, Json][] {
  if (!isMap(value)) return [[path.join('.'), value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** Every value of the effective spec with the layer that it comes from: base, then type, then the environment's own. Pure. */
export function traced(template: EnvironmentTemplate | undefined, type: string, own: Record<string, Json>): Traced[] {
  const base = (template?.spec.base ?? {}) as Record<string, Json>;
  const ofType = (template?.spec.types?.[type] ?? {}) as Record<string, Json>;
  const effective = over(over(base, ofType), own);
  const has = (layer: Json, path: string) => leaves(layer).some(([other]) => other === path);
  return leaves(effective).map(([path, value]) => ({
    path,
    value,
    from: has(own, path) ? 'own' : has(ofType, path) ? 'type' : 'base',
  }));
}
