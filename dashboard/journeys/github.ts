import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const compose = `services:
  web:
    build: ./apps/web
    ports: ['80:3000']
    depends_on: [db]
  db:
    image: postgres:17
`;

/** What stands for GitHub: one repository, acme/shop, which everybody may read. */
const answers: Record<string, unknown> = {
  '/repos/acme/shop': {
    full_name: 'acme/shop',
    default_branch: 'main',
    private: false,
    archived: false,
  },
  '/repos/acme/shop/git/trees/main': {
    sha: 'a'.repeat(40),
    truncated: false,
    tree: ['compose.yaml', 'package.json', 'apps/web/Dockerfile', 'apps/admin/package.json', 'packages/ui/package.json'].map(
      (path) => ({ path, type: 'blob' }),
    ),
  },
  '/repos/acme/shop/contents/compose.yaml': { encoding: 'base64', content: Buffer.from(compose).toString('base64') },
};

/** Serves it, and tells the root of its API. */
export async function gitHub(): Promise<{ server: Server; root: string }> {
  const server = createServer((request, answer) => {
    const found = answers[new URL(request.url ?? '/', 'http://github').pathname];
    answer.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(found ?? { message: 'Not Found' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, root: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
