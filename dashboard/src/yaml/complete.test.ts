import { describe, expect, it } from 'vitest';
import { optionsAt, placeAt } from './complete';
import type { Schema } from './schema';

const schema: Schema = {
  type: 'object',
  properties: {
    kind: { type: 'string', enum: ['Environment'] },
    spec: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['dev', 'prod'] },
        suspend: { type: 'boolean' },
        services: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: {
              engine: { type: 'string' },
              deploy: { type: 'object', properties: { replicas: { type: 'integer' } } },
              domains: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' }, port: {} } } },
            },
          },
        },
      },
    },
  },
};

/** Options at `|`. */
function options(text: string): string[] {
  const position = text.indexOf('|');
  return optionsAt(placeAt(text.replace('|', ''), position), schema).map((option) => option.label);
}

describe('completion', () => {
  it.each([
    ['|', ['kind', 'spec']],
    ['kind: Environment\n|', ['spec']],
    ['kind: |', ['Environment']],
    ['spec:\n  |', ['type', 'suspend', 'services']],
    ['spec:\n  type: dev\n  |', ['suspend', 'services']],
    ['spec:\n  type: |', ['dev', 'prod']],
    ['spec:\n  suspend: |', ['true', 'false']],
    ['spec:\n  services:\n    web:\n      |', ['engine', 'deploy', 'domains']],
    ['spec:\n  services:\n    web:\n      deploy:\n        r|', ['replicas']],
    ['spec:\n  services:\n    web:\n      deploy:\n        replicas: 1\n    api:\n      |', ['engine', 'deploy', 'domains']],
    ['spec:\n  services:\n    web:\n      domains:\n        - |', ['name', 'port']],
    ['spec:\n  services:\n    web:\n      domains:\n        - name: a\n          |', ['port']],
    ['spec:\n  services:\n    |', []],
  ])('in %j', (text, expected) => {
    expect(options(text)).toEqual(expected);
  });
});
