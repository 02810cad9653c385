/** Splits text that comes in pieces into its lines; `rest` is what has no end yet. Pure. */
export function split(rest: string, piece: string): { lines: string[]; rest: string } {
  const parts = (rest + piece).split('\n');
  const last = parts.pop() ?? '';
  return { lines: parts.filter((line) => line !== ''), rest: last };
}

/** The lines of a body, as they come. Ends with the body. */
export async function* linesOf(body: ReadableStream<Uint8Array>, onBytes: () => void): AsyncGenerator<string[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      const found = split(rest, decoder.decode(value, { stream: true }));
      rest = found.rest;
      if (found.lines.length > 0) yield found.lines;
    }
  } finally {
    // Also when whoever reads stops early: the connection is one of six that a browser has for a server.
    reader.cancel().catch(() => {});
  }
}
