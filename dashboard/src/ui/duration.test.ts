import { describe, expect, it } from 'vitest';
import { parsed, spoken, written } from './duration';

describe('a duration', () => {
  it.each([
    [0, '0s'],
    [8, '8s'],
    [75, '1m'],
    [3_600, '1h'],
    [3_660, '1h 1m'],
    [93_600, '1d 2h'],
    [40 * 86_400, '40d'],
  ])('of %i seconds is spoken %s', (seconds, text) => {
    expect(spoken(seconds)).toBe(text);
  });

  it.each(['5m', '8h', '1d12h', '2w', '1w2d3h4m5s'])('written %s is read and written back', (text) => {
    expect(written(parsed(text)!)).toBe(text);
  });

  it.each(['', 'tomorrow', '5', '1h2d'])('is not %j', (text) => {
    expect(parsed(text)).toBeUndefined();
  });
});
