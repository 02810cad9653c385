import { type QueryClient, skipToken, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { KubernetesObject } from '~/api/kinds';
import { follow, type Followed } from './feed';
import { empty, reduce, type Snapshot } from './snapshot';

/** How long a stream is kept when nobody looks, so that going from room to room does not list anew. */
const LINGER_MS = 10_000;

interface Feed {
  watchers: number;
  abort: AbortController | undefined;
  linger: ReturnType<typeof setTimeout> | undefined;
  start: () => void;
}

const feeds = new Map<string, Feed>();

function keyOf<T extends KubernetesObject>(what: Followed<T>): readonly string[] {
  const { resource, namespace = '', fieldSelector = '' } = what;
  return ['live', resource.group, resource.plural, namespace, fieldSelector];
}

/** Follows, whoever may have asked before; the answer says that one watcher less is there. */
function acquire<T extends KubernetesObject>(client: QueryClient, what: Followed<T>): () => void {
  const key = keyOf(what);
  const name = key.join('|');
  let feed = feeds.get(name);
  if (!feed) {
    const made: Feed = {
      watchers: 0,
      abort: undefined,
      linger: undefined,
      start() {
        if (made.abort) return;
        const abort = new AbortController();
        made.abort = abort;
        void follow(
          what,
          (news) => {
            if (abort.signal.aborted) return;
            client.setQueryData<Snapshot<T>>(key, (before) => reduce(before ?? empty<T>(), news));
          },
          abort.signal,
        );
      },
    };
    feeds.set(name, made);
    feed = made;
  }
  const held = feed;
  held.watchers += 1;
  clearTimeout(held.linger);
  if (!document.hidden) held.start();
  return () => {
    held.watchers -= 1;
    if (held.watchers > 0) return;
    held.linger = setTimeout(() => {
      held.abort?.abort();
      feeds.delete(name);
      client.removeQueries({ queryKey: key, exact: true });
    }, LINGER_MS);
  };
}

/**
 * A tab that nobody sees gives its streams back: over plain http a browser has six connections for a server, in all tabs
 * together. It lists anew when it is looked at again.
 */
export function pauseWhileHidden(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => {
        for (const feed of feeds.values()) {
          feed.abort?.abort();
          feed.abort = undefined;
        }
      }, LINGER_MS);
    } else {
      for (const feed of feeds.values()) feed.start();
    }
  });
}

/** Starts every feed again, for instance after someone signed in. */
export function restartFeeds(): void {
  for (const feed of feeds.values()) {
    feed.abort?.abort();
    feed.abort = undefined;
    feed.start();
  }
}

/**
 * A part of what there is of a resource, kept up to date. What `pick` returns decides when the component is drawn anew:
 * an object that did not change is the same object.
 */
export function useLive<T extends KubernetesObject, Picked>(
  what: Followed<T>,
  pick: (snapshot: Snapshot<T>) => Picked,
): Picked {
  const client = useQueryClient();
  const key = keyOf(what);
  const name = key.join('|');
  useEffect(() => {
    return acquire(client, what);
    // The name says all that `what` holds.
  }, [client, name]);
  const { data } = useQuery<Snapshot<T>, Error, Picked>({
    queryKey: key,
    queryFn: skipToken,
    // While nothing has come there is an empty snapshot to pick from.
    placeholderData: empty<T>(),
    select: pick,
    structuralSharing: false,
    staleTime: Infinity,
    gcTime: Infinity,
  });
  return data as Picked;
}

/** The whole snapshot. */
export function whole<T extends KubernetesObject>(snapshot: Snapshot<T>): Snapshot<T> {
  return snapshot;
}
