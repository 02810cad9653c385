import { describe, expect, it } from 'vitest';
import type { FoundService } from '~/api/repositories';
import { service } from './draft';
import { drafted, whatWasFound } from './found';

const db: FoundService = { name: 'db', foundIn: 'compose.yaml', isCertain: true, engine: 'postgres' };
const cache: FoundService = { name: 'cache', foundIn: 'compose.yaml', isCertain: true, image: 'valkey/valkey:9' };
const web: FoundService = {
  name: 'web',
  foundIn: 'compose.yaml',
  isCertain: true,
  rootDirectory: 'apps/web',
  port: 3000,
  healthcheckPath: '/health',
  dependsOn: ['db', 'mail'],
};

describe('found services', () => {
  it('become those of a draft', () => {
    expect(drafted([db, cache, web], [])).toEqual([
      service('db', 'postgres'),
      { ...service('cache', 'image'), image: 'valkey/valkey:9' },
      {
        ...service('web', 'repo'),
        folder: 'apps/web',
        isPublic: true,
        port: '3000',
        healthPath: '/health',
        dependsOn: ['db'],
      },
    ]);
  });

  it('get a name that is free, and are needed by it', () => {
    const added = drafted([db, web], [service('db', 'postgres')]);
    expect(added.map(({ name }) => name)).toEqual(['db-2', 'web']);
    expect(added[1]?.dependsOn).toEqual(['db-2']);
  });

  it('say where they are', () => {
    expect([db, cache, web].map(whatWasFound)).toEqual([
      'a database (postgres), in compose.yaml',
      'valkey/valkey:9, in compose.yaml',
      'apps/web, in compose.yaml',
    ]);
    expect(whatWasFound({ ...web, foundIn: 'apps/web/Dockerfile' })).toBe('apps/web/Dockerfile');
  });
});
