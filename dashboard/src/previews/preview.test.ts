import { expect, it } from 'vitest';
import { shownPreviews, type Preview } from './preview';

it('the queue stands in its order, behind what has an environment', () => {
  const preview = (number: number, state: string, place?: number) => ({ number, state, place }) as Preview;
  const all = [preview(1, 'Queued', 2), preview(2, 'Queued', 1), preview(3, 'Ready'), preview(4, 'Closed'), preview(5, 'Failed')];
  expect(shownPreviews(all).map(({ number }) => number)).toEqual([5, 3, 2, 1]);
});
