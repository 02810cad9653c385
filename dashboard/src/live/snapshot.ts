import type { KubernetesObject } from '~/api/kinds';
import type { Problem } from '~/api/problem';

/** How a feed stands with the server. */
export type Phase =
  /** The first answer has not come. */
  | 'loading'
  /** Changes come as they happen. */
  | 'live'
  /** The stream broke; what is shown may be old. */
  | 'reconnecting'
  /** No stream can be had; the list is asked for again and again. */
  | 'polling'
  /** The server refuses, and asking again would not help. */
  | 'refused';

/** All objects of a resource, as far as we know. */
export interface Snapshot<T extends KubernetesObject> {
  phase: Phase;
  /** By uid. An object that did not change keeps its identity, so that what shows it is not drawn anew. */
  objects: ReadonlyMap<string, T>;
  /** Whether the first list has been read to its end. */
  isWhole: boolean;
  /** Why it is not live. */
  problem?: Problem | undefined;
}

/** A line of a watch, as Kubernetes writes it. */
export interface Change<T extends KubernetesObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: T;
}

/** What happens to a snapshot. */
export type News<T extends KubernetesObject> =
  /** A page of the first list: what is there is shown at once. */
  | { type: 'page'; items: T[] }
  /** A list read to its end: what it does not have is gone. */
  | { type: 'listed'; items: T[] }
  | { type: 'changed'; changes: Change<T>[] }
  | { type: 'phase'; phase: Phase; problem?: Problem | undefined };

export function empty<T extends KubernetesObject>(): Snapshot<T> {
  return { phase: 'loading', objects: new Map(), isWhole: false };
}

/** The snapshot after the news. Pure. */
export function reduce<T extends KubernetesObject>(before: Snapshot<T>, news: News<T>): Snapshot<T> {
  switch (news.type) {
    case 'page': {
      const objects = new Map(before.objects);
      for (const item of news.items) put(objects, item);
      return { ...before, objects };
    }
    case 'listed': {
      const objects = new Map<string, T>();
      for (const item of news.items) {
        const known = before.objects.get(item.metadata.uid);
        objects.set(item.metadata.uid, known && isSame(known, item) ? known : item);
      }
      return { ...before, objects, isWhole: true };
    }
    case 'changed': {
      const objects = new Map(before.objects);
      for (const { type, object } of news.changes) {
        if (type === 'DELETED') objects.delete(object.metadata.uid);
        else put(objects, object);
      }
      return { ...before, objects };
    }
    case 'phase':
      return before.phase === news.phase && before.problem === news.problem
        ? before
        : { ...before, phase: news.phase, problem: news.problem };
  }
}

function put<T extends KubernetesObject>(objects: Map<string, T>, object: T): void {
  const known = objects.get(object.metadata.uid);
  if (!known || !isSame(known, object)) objects.set(object.metadata.uid, object);
}

/** A resource version stands for one state of one object. */
function isSame(one: KubernetesObject, other: KubernetesObject): boolean {
  return one.metadata.resourceVersion === other.metadata.resourceVersion;
}
