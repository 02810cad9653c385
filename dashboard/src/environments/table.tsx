import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import type { Environment } from '~/api/kinds';
import { Mark, Status } from '~/ui/status';
import { Age } from '~/ui/time';
import { hostOf, ownerOf, placeOf, projectOf, safeUrl, servicesOf, typeOf } from './facts';
import { healthOf, isDrifted } from './health';
import { TimeLeft } from './life-bar';
import { QuickActions } from './quick-actions';
import { TypeMark } from './type-mark';

const ROW_HEIGHT = 46;
const columns =
  'grid-cols-[minmax(9rem,2fr)_6rem_8.5rem_4rem_minmax(7rem,1.2fr)_minmax(8rem,1.8fr)_6rem_5rem_2.5rem]';

/** Hundreds at once, a line each; only the lines near the window are in the page. */
export function Table({ environments }: { environments: Environment[] }) {
  const holder = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (holder.current) setTop(holder.current.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: environments.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: top,
  });
  return (
    <div className="panel relative overflow-x-auto" tabIndex={0} role="region" aria-label="Environments as a table">
      <div role="table" aria-rowcount={environments.length + 1} className="min-w-[62rem]">
        <div role="rowgroup">
          <div role="row" className={`grid ${columns} gap-3 border-b border-line px-4 py-2 text-xs font-medium text-ink-soft`}>
            {['Name', 'Type', 'Status', 'Up', 'Project', 'Address', 'Life', 'Age', ''].map((name) => (
              <span key={name} role="columnheader">
                {name || <span className="sr-only">Actions</span>}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" ref={holder} className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const environment = environments[item.index]!;
            return (
              <div
                key={environment.metadata.uid}
                role="row"
                aria-rowindex={item.index + 2}
                className={`absolute top-0 left-0 grid w-full ${columns} items-center gap-3 border-b border-line px-4 hover:bg-inset`}
                style={{ height: ROW_HEIGHT, transform: `translateY(${item.start - top}px)` }}
              >
                <Line environment={environment} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

const Line = memo(function Line({ environment }: { environment: Environment }) {
  const health = healthOf(environment);
  const { up, total } = servicesOf(environment);
  const url = safeUrl(environment.status?.url);
  const place = placeOf(environment);
  const owner = ownerOf(environment);
  return (
    <>
      <span role="cell" className="min-w-0 truncate font-medium">
        <Link to="/environments/$namespace/$name" params={place} className="hover:text-primary hover:underline">
          {place.name}
        </Link>
        {owner && <span className="ml-2 text-[13px] font-normal text-ink-soft">{owner}</span>}
      </span>
      <span role="cell">
        <TypeMark type={typeOf(environment)} />
      </span>
      <span role="cell" className="flex items-center gap-2">
        <Status tone={health.tone} word={health.word} isMoving={health.isMoving} />
        {isDrifted(environment) && health.group !== 'drifted' && <Mark tone="warning">drifted</Mark>}
      </span>
      <span role="cell" className="tabular-nums">
        {up}/{total}
      </span>
      <span role="cell" className="truncate text-ink-soft">
        {projectOf(environment)}
      </span>
      <span role="cell" className="truncate">
        {url && (
          <a href={url} target="_blank" rel="noopener noreferrer" className="text-accent hover:underline">
            {hostOf(url)}
          </a>
        )}
      </span>
      <span role="cell" className="text-[13px]">
        <TimeLeft environment={environment} />
      </span>
      <span role="cell" className="text-[13px] text-ink-soft">
        <Age since={environment.metadata.creationTimestamp} />
      </span>
      <span role="cell">
        <QuickActions environment={environment} />
      </span>
    </>
  );
});
