import { describe, expect, it } from 'vitest';
import { problemOf, RequestFailed, shown } from './problem';

describe('a problem', () => {
  it.each([
    [0, 'unreachable'],
    [401, 'signed-out'],
    [403, 'forbidden'],
    [404, 'missing'],
    [409, 'conflict'],
    [422, 'invalid'],
    [429, 'busy'],
    [503, 'busy'],
    [500, 'broken'],
  ])('of status %i is %s and has a next step', (code, kind) => {
    const problem = problemOf(code, '');
    expect(problem.kind).toBe(kind);
    expect(problem.nextStep).not.toBe('');
  });

  it('names the fields that the server named', () => {
    const body = {
      message: 'Environment "a" is invalid',
      details: { causes: [{ field: 'spec.ttl', message: 'Invalid value' }] },
    };
    const problem = problemOf(422, JSON.stringify(body));
    expect(problem.message).toBe('Environment "a" is invalid');
    expect(problem.causes).toEqual([{ field: 'spec.ttl', message: 'Invalid value' }]);
  });

  it("keeps a proxy's page out of sight", () => {
    expect(problemOf(502, '<html>Bad gateway</html>').message).toBe('');
  });

  it('is read from whatever was thrown', () => {
    const problem = problemOf(409, '');
    expect(shown(new RequestFailed(problem))).toBe(problem);
    expect(shown(new TypeError('x is undefined')).message).toBe('x is undefined');
  });
});
