import { describe, expect, it } from 'vitest';
import { parseDotenv, soundsSecret } from './dotenv';

describe('a .env file', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['export A=1', { A: '1' }],
    ['# note\n\nA = b c # rest', { A: 'b c' }],
    ['A="x # y"', { A: 'x # y' }],
    ["A='$B\\n'", { A: '$B\\n' }],
    ['A="one\\ntwo"', { A: 'one\ntwo' }],
    ['KEY="-----BEGIN\nabc\n-----END"\nB=2', { KEY: '-----BEGIN\nabc\n-----END', B: '2' }],
    ['A=', { A: '' }],
    ['A=1\nA=2', { A: '2' }],
    ['\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=${{postgres.DATABASE_URL}}', { A: '${{postgres.DATABASE_URL}}' }],
  ])('%j', (text, expected) => {
    const { entries, notUnderstood } = parseDotenv(text);
    expect(Object.fromEntries(entries.map(({ name, value }) => [name, value]))).toEqual(expected);
    expect(notUnderstood).toEqual([]);
  });

  it('says which lines it does not understand, and takes the others', () => {
    const { entries, notUnderstood } = parseDotenv('A=1\nwhat is this\nB="open\nC=3');
    expect(notUnderstood).toEqual([2, 3]);
    expect(entries.map(({ name }) => name)).toEqual(['A', 'C']);
  });
});

it('names that sound like secrets are known', () => {
  expect(['STRIPE_SECRET', 'API_KEY', 'DB_PASSWORD', 'SENTRY_DSN'].every(soundsSecret)).toBe(true);
  expect(['LOG_LEVEL', 'PORT', 'MONKEYS', 'BASE_URL'].some(soundsSecret)).toBe(false);
});
