export interface Entry {
  name: string;
  value: string;
}

/** What a `.env` file says, and the lines that say nothing we understand (counted from one). Pure. */
export function parseDotenv(text: string): { entries: Entry[]; notUnderstood: number[] } {
  const entries = new Map<string, string>();
  const notUnderstood: number[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    if (/^\s*(#|$)/.test(line)) continue;
    const found = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line);
    if (!found) {
      notUnderstood.push(at + 1);
      continue;
    }
    const [, name = '', rest = ''] = found;
    const quote = /^["']/.exec(rest)?.[0];
    if (!quote) {
      entries.set(name, rest.replace(/\s+#.*$/, '').trim());
      continue;
    }
    // A value in quotes may go on over lines.
    const from = at;
    let body = rest.slice(1);
    while (closing(body, quote) === -1 && at + 1 < lines.length) {
      at += 1;
      body += `\n${lines[at]!}`;
    }
    const end = closing(body, quote);
    if (end === -1) {
      notUnderstood.push(from + 1);
      at = from;
      continue;
    }
    const value = body.slice(0, end);
    entries.set(name, quote === '"' ? unescaped(value) : value);
  }
  return { entries: [...entries].map(([name, value]) => ({ name, value })), notUnderstood };
}

function closing(text: string, quote: string): number {
  for (let at = 0; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, char: string) => ({ n: '\n', r: '\r', t: '\t' })[char] ?? char);
}

/** Whether a name sounds like something that should not stand in a spec. A guess, which a person may overrule. */
export function soundsSecret(name: string): boolean {
  return /(SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE|CREDENTIAL|API_?KEY|_KEY$|^KEY_|_DSN$|SALT)/i.test(name);
}
