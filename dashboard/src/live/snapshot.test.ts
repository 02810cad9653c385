import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '~/api/kinds';
import { empty, reduce, type News } from './snapshot';

function object(uid: string, resourceVersion = '1'): KubernetesObject {
  return { metadata: { uid, resourceVersion, name: uid, creationTimestamp: '2026-01-01T00:00:00Z' } };
}

function after(...news: News<KubernetesObject>[]) {
  return news.reduce(reduce<KubernetesObject>, empty<KubernetesObject>());
}

describe('a snapshot', () => {
  it('shows pages as they come, and is whole when the list is', () => {
    const paged = after({ type: 'page', items: [object('a')] });
    expect([...paged.objects.keys()]).toEqual(['a']);
    expect(paged.isWhole).toBe(false);
    expect(reduce(paged, { type: 'listed', items: [object('a'), object('b')] }).isWhole).toBe(true);
  });

  it('loses what a later list does not have', () => {
    const listed = after({ type: 'listed', items: [object('a'), object('b')] }, { type: 'listed', items: [object('b')] });
    expect([...listed.objects.keys()]).toEqual(['b']);
  });

  it('keeps the identity of what did not change', () => {
    const before = after({ type: 'listed', items: [object('a'), object('b')] });
    const relisted = reduce(before, { type: 'listed', items: [object('a'), object('b', '2')] });
    expect(relisted.objects.get('a')).toBe(before.objects.get('a'));
    expect(relisted.objects.get('b')).not.toBe(before.objects.get('b'));
  });

  it('takes changes in the order in which they came', () => {
    const changed = after({
      type: 'changed',
      changes: [
        { type: 'ADDED', object: object('a') },
        { type: 'MODIFIED', object: object('a', '2') },
        { type: 'ADDED', object: object('b', '3') },
        { type: 'DELETED', object: object('b', '4') },
      ],
    });
    expect([...changed.objects.values()].map((it) => it.metadata.resourceVersion)).toEqual(['2']);
  });

  it('does not change when the phase does not', () => {
    const live = after({ type: 'phase', phase: 'live' });
    expect(reduce(live, { type: 'phase', phase: 'live' })).toBe(live);
  });
});
