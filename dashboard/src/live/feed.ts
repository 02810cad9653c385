import { problemOf, RequestFailed, shown } from '~/api/problem';
import type { KubernetesObject, List } from '~/api/kinds';
import { open, request } from '~/api/request';
import { collectionPath, type Resource } from '~/api/resource';
import { linesOf } from './lines';
import { next, type Ended } from './next';
import type { Change, News } from './snapshot';

/** Objects in the first page: enough for a screen, and there before a person has looked up. */
const FIRST_PAGE = 60;

const PAGE = 500;

/** A watch sends a bookmark a minute; one that is silent for longer is dead, or a proxy keeps its lines to itself. */
const SILENCE_MS = 100_000;

/** Changes are handed on together, at most this often: a screen drawn 20 times a second serves nobody. */
const BATCH_MS = 120;

/** What a feed follows. */
export interface Followed<T extends KubernetesObject> {
  resource: Resource<T>;
  namespace?: string | undefined;
  fieldSelector?: string | undefined;
}

/** What nobody here looks at, and what would be most of the memory of a thousand environments. */
export function lightened<T extends KubernetesObject>(object: T): T {
  const { metadata, status, ...others } = object as T & {
    metadata: { managedFields?: unknown };
    status?: { applied?: unknown };
  };
  const { managedFields: _, ...kept } = metadata;
  if (!status) return { ...others, metadata: kept } as unknown as T;
  const { applied: __, ...shownStatus } = status;
  return { ...others, metadata: kept, status: shownStatus } as unknown as T;
}

/**
 * Lists, then watches, until `signal` says stop; tells everything by `tell`.
 *
 * # Guarantees
 * News come in the server's order. After `listed`, nothing is missing that the server had at that revision. A break is
 * told of before anything else is tried.
 */
export async function follow<T extends KubernetesObject>(
  what: Followed<T>,
  tell: (news: News<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  let version = '';
  let failures = 0;
  let isFirst = true;
  for (;;) {
    let ended: Ended;
    try {
      if (version === '') {
        version = await list(what, tell, signal, isFirst);
        isFirst = false;
      }
      ended = await watch(what, version, tell, signal, (seen) => {
        version = seen;
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      const problem = shown(error);
      ended = problem.code === 410 ? { kind: 'gone' } : { kind: 'failed', problem };
    }
    if (signal.aborted) return;
    if (ended.kind === 'failed') failures += 1;
    const step = next(ended, failures);
    tell({ type: 'phase', phase: step.phase, problem: ended.kind === 'failed' ? ended.problem : undefined });
    if (step.then === 'stop') return;
    if (step.then === 'relist') version = '';
    await wait(step.after, signal);
    if (signal.aborted) return;
  }
}

function query<T extends KubernetesObject>(what: Followed<T>, more: Record<string, string>): string {
  const parameters = new URLSearchParams(more);
  if (what.fieldSelector) parameters.set('fieldSelector', what.fieldSelector);
  return `${collectionPath(what.resource, what.namespace)}?${parameters.toString()}`;
}

/** Reads the whole list, page by page, and gives the version to watch from. */
async function list<T extends KubernetesObject>(
  what: Followed<T>,
  tell: (news: News<T>) => void,
  signal: AbortSignal,
  isFirst: boolean,
): Promise<string> {
  const items: T[] = [];
  let token = '';
  for (;;) {
    const limit = String(isFirst && items.length === 0 ? FIRST_PAGE : PAGE);
    const path = query(what, { limit, ...(token ? { continue: token } : {}) });
    const page = await request<List<T>>(path, { signal });
    const found = page.items.map(lightened);
    items.push(...found);
    token = page.metadata.continue ?? '';
    if (!token) {
      tell({ type: 'listed', items });
      return page.metadata.resourceVersion;
    }
    if (isFirst) tell({ type: 'page', items: found });
  }
}

interface Line<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T & { code?: number; message?: string };
}

async function watch<T extends KubernetesObject>(
  what: Followed<T>,
  from: string,
  tell: (news: News<T>) => void,
  signal: AbortSignal,
  onSeen: (version: string) => void,
): Promise<Ended> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  const batch = batched<Change<T>>((changes) => tell({ type: 'changed', changes }));
  try {
    const path = query(what, { watch: '1', allowWatchBookmarks: 'true', resourceVersion: from });
    const answer = await open(path, { signal: AbortSignal.any([signal, silence.signal]) });
    if (!answer.body) throw new RequestFailed(problemOf(0, ''));
    tell({ type: 'phase', phase: 'live' });
    for await (const lines of linesOf(answer.body, heard)) {
      for (const line of lines) {
        const { type, object } = JSON.parse(line) as Line<T>;
        if (type === 'ERROR') {
          if (object.code === 410) return { kind: 'gone' };
          throw new RequestFailed(problemOf(object.code ?? 500, JSON.stringify(object)));
        }
        if (type !== 'BOOKMARK') batch.add({ type, object: lightened(object) });
        onSeen(object.metadata.resourceVersion);
      }
    }
    return { kind: 'closed' };
  } catch (error) {
    if (error instanceof RequestFailed || signal.aborted) throw error;
    // The stream broke off in the middle, or was silent for too long.
    throw new RequestFailed(problemOf(0, ''));
  } finally {
    clearTimeout(timer);
    batch.flush();
  }
}

function batched<Item>(hand: (items: Item[]) => void) {
  let items: Item[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (items.length === 0) return;
    const ready = items;
    items = [];
    hand(ready);
  };
  return {
    add(item: Item) {
      items.push(item);
      timer ??= setTimeout(flush, BATCH_MS);
    },
    flush,
  };
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
