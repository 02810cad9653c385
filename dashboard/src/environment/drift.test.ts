import { describe, expect, it } from 'vitest';
import type { EnvironmentSpec, PlannedAction } from '~/api/kinds';
import { environment } from '~/environments/environment.fixture';
import { differencesOf } from './drift';

const spec = {
  services: { web: { variables: { LEVEL: 'info', KEY: { secretRef: { name: 'a', key: 'b' } } }, deploy: { replicas: 1 } } },
} as unknown as EnvironmentSpec;

function difference(action: Partial<PlannedAction>) {
  const drift = [{ verb: 'update', reason: 'Drifted', destroys: false, deploys: false, ...action }] as PlannedAction[];
  return differencesOf(environment('shop', { spec, status: { drift } }))[0]!;
}

describe('a difference', () => {
  it('of a setting shows both values, and can be taken over', () => {
    const found = difference({
      target: 'service/web/deploy.replicas',
      sentence: 'web: set deploy.replicas from 3 to 1',
    });
    expect(found).toMatchObject({ service: 'web', subject: 'deploy.replicas', declared: '1', actual: '3' });
    expect(found.accept?.spec).toEqual({ services: { web: { deploy: { replicas: 3 } } } });
  });

  it('of a setting that Railway no longer has takes it out of the spec', () => {
    const found = difference({
      target: 'service/web/deploy.cron',
      sentence: 'web: set deploy.cron from Railway\'s default to "0 * * * *"',
    });
    expect(found.accept?.spec).toEqual({ services: { web: { deploy: { cron: null } } } });
  });

  it("of a variable shows what is declared and never Railway's value", () => {
    const found = difference({ target: 'service/web/variable/LEVEL', sentence: 'web: change variable LEVEL' });
    expect(found).toMatchObject({ subject: 'variable LEVEL', declared: 'info' });
    expect(found.accept?.spec).toEqual({ services: { web: { variables: { LEVEL: { preserve: true } } } } });
    expect(difference({ target: 'service/web/variable/KEY', sentence: '' }).declared).toBe('from a secret');
  });

  it('of a variable that is gone takes it out of the spec', () => {
    const found = difference({ target: 'variable/LEVEL', verb: 'create', sentence: 'add shared variable LEVEL' });
    expect(found).toMatchObject({ service: undefined, actual: 'not there' });
    expect(found.accept?.spec).toEqual({ variables: { LEVEL: null } });
  });

  it('of a service that is gone takes it out of the spec', () => {
    const found = difference({ target: 'service/web', verb: 'create', sentence: 'create service web' });
    expect(found.accept?.spec).toEqual({ services: { web: null } });
  });

  it('that a spec cannot say is not offered', () => {
    const found = difference({ target: 'service/web/domain/a.example', verb: 'create', sentence: 'web: add domain' });
    expect(found).toMatchObject({ subject: 'domain a.example', actual: 'not there', accept: undefined });
  });
});
