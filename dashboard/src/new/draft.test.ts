import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check } from '~/yaml/check';
import { resolved, type Document } from '~/yaml/schema';
import { yaml } from '~/yaml/text';
import { blank, faultsOf, objectOf, secretValues, service, type Draft } from './draft';

const document = JSON.parse(
  readFileSync(new URL('../../schema/mirage.dev_v1alpha1.json', import.meta.url), 'utf8'),
) as Document;
const schema = resolved(document, 'dev.mirage.v1alpha1.Environment');

const draft: Draft = {
  ...blank,
  name: 'shop',
  project: 'acme',
  repo: 'acme/shop',
  ttl: '3d',
  cpu: 0.5,
  memory: 0.5,
  strategy: 'sequential',
  healthTimeout: '5m',
  onFailure: 'rollback',
  drift: 'report',
  services: [
    { ...service('web', 'repo'), isPublic: true, port: '3000', healthPath: '/health', dependsOn: ['db'] },
    { ...service('job', 'image'), image: 'nginx' },
    service('db', 'postgres'),
  ],
  variables: [
    { name: 'LEVEL', value: 'info', service: '', isSecret: false },
    { name: 'KEY', value: 'hunter2', service: 'web', isSecret: true },
  ],
};

describe('a draft', () => {
  it('becomes an object that the schema accepts', () => {
    expect(check(yaml(objectOf(draft)), schema)).toEqual([]);
  });

  it('says what was chosen', () => {
    expect(objectOf(draft).spec).toEqual({
      type: 'dev',
      project: { name: 'acme' },
      source: { repo: 'acme/shop', branch: 'main' },
      ttl: '3d',
      rollout: { strategy: 'sequential', healthTimeout: '5m', onFailure: 'rollback' },
      drift: { mode: 'report' },
      variables: { LEVEL: 'info' },
      services: {
        web: {
          deploy: { healthcheck: { path: '/health' }, limits: { cpu: 0.5, memory: '512Mi' } },
          variables: { KEY: { secretRef: { name: 'shop-variables', key: 'web.KEY' } } },
          domains: [{ port: 3000 }],
          dependsOn: ['db'],
        },
        job: { source: { image: 'nginx' }, deploy: { limits: { cpu: 0.5, memory: '512Mi' } } },
        db: { engine: 'postgres' },
      },
    });
  });

  it('never writes a secret value into the spec', () => {
    expect(yaml(objectOf(draft))).not.toContain('hunter2');
    expect(secretValues(draft)).toEqual({ 'web.KEY': 'hunter2' });
    expect(secretValues({ ...draft, variables: [] })).toBeUndefined();
  });

  it('says what is still wrong, field by field', () => {
    expect(faultsOf(draft, 'source').size).toBe(0);
    const wrong = { ...draft, name: 'Shop!', repo: 'shop', project: '', services: [service('', 'image')] };
    expect([...faultsOf(wrong, 'source').keys()]).toEqual(['name', 'project', 'services.0.name', 'services.0.image']);
    expect([...faultsOf({ ...draft, ttl: 'tomorrow' }, 'configuration').keys()]).toEqual(['ttl']);
    expect([...faultsOf({ ...draft, healthTimeout: 'soon' }, 'strategy').keys()]).toEqual(['healthTimeout']);
  });
});
