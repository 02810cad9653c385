import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState } from 'react';
import type { Environment } from '~/api/kinds';
import { Card } from './card';
import { byProject } from './selection';

const CARD_HEIGHT = 186;
const GAP = 14;
const HEAD_HEIGHT = 40;

/** Columns at a width: 1, 2, 3 or 4. */
export function columnsAt(width: number): number {
  if (width < 620) return 1;
  if (width < 940) return 2;
  if (width < 1240) return 3;
  return 4;
}

type Row = { head: string; size: number } | { cards: Environment[] };

/** Rows of cards, under a heading for each project where they are grouped. Pure. */
export function rowsOf(environments: Environment[], columns: number, isGrouped: boolean): Row[] {
  const cut = (some: Environment[]): Row[] => {
    const rows: Row[] = [];
    for (let at = 0; at < some.length; at += columns) rows.push({ cards: some.slice(at, at + columns) });
    return rows;
  };
  if (!isGrouped) return cut(environments);
  return byProject(environments).flatMap(([project, some]) => [
    { head: project || 'Without a project', size: some.length },
    ...cut(some),
  ]);
}

/** Cards, of which only those near the window are in the page. */
export function Grid({ environments, isGrouped }: { environments: Environment[]; isGrouped: boolean }) {
  const holder = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);

  useLayoutEffect(() => {
    const element = holder.current;
    if (!element) return;
    const measure = () => {
      setWidth(element.clientWidth);
      setTop(element.getBoundingClientRect().top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const columns = columnsAt(width);
  const rows = rowsOf(environments, columns, isGrouped);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => ('head' in rows[index]! ? HEAD_HEIGHT : CARD_HEIGHT) + GAP,
    overscan: 4,
    scrollMargin: top,
  });

  // A row is as high as what is in it, and that changes with the width and with the filters.
  const shape = rows.map((row) => ('head' in row ? 'h' : 'c')).join('');
  useLayoutEffect(() => virtual.measure(), [virtual, shape]);

  return (
    <div ref={holder} className="relative" style={{ height: virtual.getTotalSize() }}>
      {width > 0 &&
        virtual.getVirtualItems().map((item) => {
          const row = rows[item.index]!;
          const style = { transform: `translateY(${item.start - top}px)` };
          if ('head' in row) {
            return (
              <h2 key={item.key} style={style} className="absolute top-0 left-0 flex h-10 items-end gap-2 pb-1 font-semibold">
                {row.head}
                <span className="font-normal text-ink-soft tabular-nums">{row.size}</span>
              </h2>
            );
          }
          return (
            <div
              key={item.key}
              className="absolute top-0 left-0 grid w-full"
              style={{ ...style, gap: GAP, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
            >
              {row.cards.map((environment) => (
                <Card key={environment.metadata.uid} environment={environment} />
              ))}
            </div>
          );
        })}
    </div>
  );
}
