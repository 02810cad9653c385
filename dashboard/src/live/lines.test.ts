import { expect, it } from 'vitest';
import { linesOf, split } from './lines';

it('a line that comes in two pieces is one line', () => {
  const first = split('', '{"a":1}\n{"b"');
  expect(first).toEqual({ lines: ['{"a":1}'], rest: '{"b"' });
  expect(split(first.rest, ':2}\n\n')).toEqual({ lines: ['{"b":2}'], rest: '' });
});

it('a character that is cut in two by the network is one character', async () => {
  const bytes = new TextEncoder().encode('é\n');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes.slice(0, 1));
      controller.enqueue(bytes.slice(1));
      controller.close();
    },
  });
  const lines: string[] = [];
  for await (const some of linesOf(body, () => {})) lines.push(...some);
  expect(lines).toEqual(['é']);
});
