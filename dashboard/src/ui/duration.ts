const UNITS: readonly [string, number][] = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** Seconds in at most two units, as people say it: `3d 4h`, `12m`, `8s`. */
export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([unit, size]) => unit !== 'w' && whole >= size);
  if (first === -1) return '0s';
  const [unit, size] = UNITS[first]!;
  const count = Math.floor(whole / size);
  const next = UNITS[first + 1];
  // Beside many of a unit the next smaller one says nothing; seconds beside minutes neither.
  if (!next || count >= 10 || next[0] === 's') return `${count}${unit}`;
  const rest = Math.floor((whole % size) / next[1]);
  return rest > 0 ? `${count}${unit} ${rest}${next[0]}` : `${count}${unit}`;
}

/** Seconds as a spec writes them: `1w2d3h`. */
export function written(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest %= size;
  }
  return text || '0s';
}

/** Seconds of a duration as a spec writes it; `undefined` for what is none. */
export function parsed(text: string): number | undefined {
  if (!/^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/.test(text) || text === '') return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([wdhms])/g)) {
    seconds += Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? 0);
  }
  return seconds;
}
