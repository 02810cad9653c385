import { diff3Merge } from 'node-diff3';

/** A stretch of a three-way merge: agreed lines, or two answers to the same question. */
export type Region = { lines: string[] } | { mine: string[]; base: string[]; theirs: string[] };

export type Side = 'mine' | 'theirs';

export function isConflict(region: Region): region is Extract<Region, { mine: string[] }> {
  return 'mine' in region;
}

/** Brings two changes of the same text together, line by line. What only one side changed is taken. Pure. */
export function merge(mine: string, base: string, theirs: string): Region[] {
  const lines = (text: string) => text.split('\n');
  return diff3Merge(lines(mine), lines(base), lines(theirs), { excludeFalseConflicts: true }).map((region) =>
    region.conflict
      ? { mine: region.conflict.a, base: region.conflict.o, theirs: region.conflict.b }
      : { lines: region.ok ?? [] },
  );
}

/** The text, once every conflict has an answer; nothing before. Pure. */
export function settled(regions: readonly Region[], answers: readonly (Side | undefined)[]): string | undefined {
  const lines: string[] = [];
  let conflict = 0;
  for (const region of regions) {
    if (!isConflict(region)) {
      lines.push(...region.lines);
      continue;
    }
    const answer = answers[conflict];
    conflict += 1;
    if (!answer) return undefined;
    lines.push(...region[answer]);
  }
  return lines.join('\n');
}
