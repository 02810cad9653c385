import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check, placed } from './check';
import { resolved, type Document } from './schema';

const document = JSON.parse(
  readFileSync(new URL('../../schema/mirage.dev_v1alpha1.json', import.meta.url), 'utf8'),
) as Document;
const schema = resolved(document, 'dev.mirage.v1alpha1.Environment');

const head = 'apiVersion: mirage.dev/v1alpha1\nkind: Environment\nmetadata: {name: shop}\n';

function faults(spec: string): string[] {
  const text = `${head}spec:\n${spec}`;
  return check(text, schema).map((fault) => `${fault.path} @ ${JSON.stringify(text.slice(fault.from, fault.to))}: ${fault.message}`);
}

describe('a check', () => {
  it.each([
    '  type: dev\n  ttl: 8h\n  services:\n    web:\n      source: {image: nginx}\n      deploy: {replicas: 2}\n',
    '  services:\n    web: null\n    api: {deploy: null, variables: {A: {generate: {length: 32}}}}\n',
  ])('finds nothing wrong with a good spec', (spec) => {
    expect(faults(spec)).toEqual([]);
  });

  it.each(['monorepo', 'prod-with-approval', 'sequential-rollout', 'single-image', 'volumes-and-domains', 'cron-worker'])(
    'finds nothing wrong with the example %s',
    (name) => {
      const text = readFileSync(new URL(`../../../specs/examples/${name}.yaml`, import.meta.url), 'utf8');
      for (const part of text.split(/^---$/m)) {
        if (part.includes('kind: Environment\n')) expect(check(part, schema)).toEqual([]);
      }
    },
  );

  it('says what was probably meant', () => {
    expect(faults('  servces: {}\n')[0]).toBe('spec.servces @ "servces": unknown field servces: did you mean services?');
    expect(faults('  type: production\n')[0]).toContain('did you mean prod?');
  });

  it('says what belongs where something else is', () => {
    expect(faults('  services: []\n')[0]).toContain('a map belongs here, not a list');
    expect(faults('  services: {web: {deploy: {replicas: two}}}\n')[0]).toContain('a number belongs here, not "two"');
    expect(faults('  suspend: "yes"\n')[0]).toContain('true or false');
    expect(faults('  ttl: tomorrow\n')[0]).toContain('not of the right form');
  });

  it('says where YAML itself is wrong', () => {
    expect(check('spec: [', schema)).not.toEqual([]);
  });
});

it('what the server found stands where it is written, or at what is nearest to it', () => {
  const text = `${head}spec:\n  ttl: 1s\n`;
  const [fault] = placed(text, [{ field: 'spec.ttl', message: 'too short' }]);
  expect(text.slice(fault!.from, fault!.to)).toBe('1s');
  const [parent] = placed(text, [{ field: 'spec.services.web', message: 'is required' }]);
  expect(text.slice(parent!.from)).toMatch(/^ttl: 1s/);
});
