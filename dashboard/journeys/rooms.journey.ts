import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, expectAccessible, expectToFit, signIn, small, test, type World } from './world';

const rooms = [
  { name: 'environments', path: '/', shows: 'shop' },
  { name: 'environments-table', path: '/?view=table', shows: 'shop' },
  { name: 'environment', path: '/environments/default/shop', shows: 'Conditions' },
  { name: 'environment-graph', path: '/environments/default/shop?tab=graph', shows: 'Services and what they need' },
  { name: 'environment-drift', path: '/environments/default/staging?tab=drift', shows: 'LOG_LEVEL' },
  { name: 'environment-yaml', path: '/environments/default/shop?tab=yaml', shows: 'apiVersion' },
  { name: 'environment-history', path: '/environments/default/shop?tab=history', shows: 'made it' },
  { name: 'new', path: '/new', shows: 'What it is' },
  { name: 'railway', path: '/railway', shows: 'billing' },
  { name: 'templates', path: '/templates', shows: 'ships with Mirage' },
  { name: 'previews', path: '/previews', shows: '#42' },
  { name: 'git', path: '/git', shows: 'blog.yaml' },
  { name: 'activity', path: '/activity', shows: 'made environment shop' },
  { name: 'settings', path: '/settings', shows: 'Railway credentials' },
] as const;

/** Width, height and theme; and whether axe is asked, which looks at what a theme and a phone change. */
const looks = [
  [1440, 900, 'light', true],
  [1440, 900, 'dark', true],
  [768, 1024, 'light', false],
  [375, 812, 'dark', false],
  [375, 812, 'light', true],
] as const;

const services = {
  web: {
    source: { image: 'ghcr.io/acme/web:1.4' },
    variables: { API_URL: 'http://${{api.RAILWAY_PRIVATE_DOMAIN}}:8080' },
    domains: [{ port: 3000 }],
    dependsOn: ['api'],
  },
  api: {
    source: { image: 'ghcr.io/acme/api:1.4' },
    deploy: { replicas: 2 },
    variables: { DATABASE_URL: '${{postgres.DATABASE_URL}}' },
    dependsOn: ['postgres'],
  },
  postgres: { engine: 'postgres' },
};

test('every room fits, is accessible and looks as kept, on a phone, a tablet and a desk, by day and by night', async ({
  page,
  world,
  complaints: _,
}, info) => {
  test.setTimeout(300_000);
  await world.make('shop', { type: 'prod', project: { name: 'shop' }, services, ttl: '30d' }, { labels: { owner: 'ada' } });
  await world.make('staging', { ...small, type: 'staging', project: { name: 'billing' } });
  await world.until('ready', async () => {
    const all = await Promise.all(['shop', 'staging'].map((name) => world.environment(name)));
    return all.every((one) => one.status?.phase === 'Ready');
  });
  // Railway makes one environment in half a minute: these are seen while they wait for their turn.
  await world.make('checkout-redesign', { ...small, type: 'ephemeral', ttl: '3d', project: { name: 'checkout' } });
  await world.make('search-spike', { ...small, ttl: '45m', project: { name: 'search' } });
  await follow(world);
  await preview(world);
  await world.edit({ edit: 'set-variable', environment: 'billing/staging', service: 'web', name: 'LOG_LEVEL', value: 'trace' });
  await world.until('drift', async () => (await world.environment('staging')).status?.phase === 'Drifted');
  await signIn(page, world);

  for (const room of rooms) {
    await test.step(room.name, async () => {
      await page.goto(world.url + room.path);
      await expect(page.getByText(room.shows).filter({ visible: true }).first()).toBeVisible();
      await expect(page.locator('.skeleton')).toHaveCount(0);
      for (const [width, height, theme, isAsked] of looks) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await expect(page.getByText(room.shows).filter({ visible: true }).first()).toBeVisible();
        await expectToFit(page);
        if (isAsked) await expectAccessible(page);
        await page.screenshot({ path: info.outputPath(`${room.name}-${width}-${theme}.png`) });
      }
    });
  }
});

/** A repository with a good file and a bad one, followed by a GitSync. */
async function follow(world: World): Promise<void> {
  const folder = join(world.folder, 'blog');
  await mkdir(join(folder, 'environments'), { recursive: true });
  await writeFile(join(folder, 'environments/blog.yaml'), blog);
  await writeFile(join(folder, 'environments/broken.yaml'), blog.replace('name: blog', 'name: broken').replace('type: dev', 'type: prd'));
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' });
  git('init', '--initial-branch', 'main');
  git('add', '.');
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '--message', 'A blog');
  await world.put('gitsyncs', { kind: 'GitSync', metadata: { name: 'blog' }, spec: { url: `file://${folder}`, path: 'environments' } });
  await world.until('the repository is read', async () => {
    const answer = await world.api('GET', '/apis/mirage.dev/v1alpha1/namespaces/default/gitsyncs/blog');
    return JSON.stringify(await answer.json()).includes('broken.yaml');
  });
}

const blog = `apiVersion: mirage.dev/v1alpha1
kind: Environment
metadata:
  name: blog
spec:
  type: dev
  suspend: true
  project:
    name: blog
  services:
    web:
      source:
        image: ghost:6
`;

/** A policy at rest, with the status that its controller would have written. */
async function preview(world: World): Promise<void> {
  const spec = { repository: 'acme/shop', suspend: true, githubSecretRef: { name: 'github' }, from: { template: { name: 'dev' } } };
  await world.put('previewpolicies', { kind: 'PreviewPolicy', metadata: { name: 'shop' }, spec });
  const path = '/apis/mirage.dev/v1alpha1/namespaces/default/previewpolicies/shop';
  await world.until('the policy is seen', async () => {
    const policy = (await (await world.api('GET', path)).json()) as { status?: unknown };
    return policy.status !== undefined;
  });
  const commit = '4f1c0de4f1c0de4f1c0de4f1c0de4f1c0de4f1c0';
  const previews = [
    { number: 42, state: 'Ready', environment: 'shop-pr-42', url: 'https://web-shop-pr-42.up.railway.app', commit, expiresAt: later(52) },
    { number: 43, state: 'Deploying', environment: 'shop-pr-43', commit, expiresAt: later(71) },
    { number: 45, state: 'Queued', place: 1, commit, message: 'five run at once; it is next' },
    { number: 41, state: 'Failed', environment: 'shop-pr-41', commit, message: 'web: the build failed: npm ci exited with 1' },
  ];
  const status = { open: 4, ready: 1, queued: 1, failed: 1, previews };
  const answer = await world.api('PATCH', `${path}/status`, { status }, 'application/merge-patch+json');
  if (!answer.ok) throw new Error(await answer.text());
}

function later(hours: number): string {
  return new Date(Date.now() + hours * 3_600_000).toISOString();
}

interface OpenApi {
  components: { schemas: Record<string, unknown> };
}

test('the types are those that the server serves', async ({ world }) => {
  const documents: [path: string, name: string][] = [['/api/v1/openapi.json', 'product']];
  for (const groupVersion of ['mirage.dev/v1alpha1', 'auth.mirage.dev/v1alpha1', 'events.k8s.io/v1']) {
    documents.push([`/openapi/v3/apis/${groupVersion}`, groupVersion.replace('/', '_')]);
  }
  for (const [path, name] of documents) {
    const served = (await (await world.api('GET', path)).json()) as OpenApi;
    const file = new URL(`../schema/${name}.json`, import.meta.url);
    const kept = JSON.parse(await readFile(file, 'utf8')) as OpenApi;
    // Stale: `npm run schema` in `dashboard/`, with a server running. Kinds that this server has not are no fault.
    for (const [name, schema] of Object.entries(served.components.schemas)) {
      expect(kept.components.schemas[name], name).toEqual(schema);
    }
  }
});

test('a view is kept in its address', async ({ page, world, complaints: _ }) => {
  await world.make('shop', { ...small, type: 'prod' });
  await world.make('blog', small);
  await signIn(page, world);
  await page.getByLabel('Type').selectOption('prod');
  await page.getByLabel('Search environments').fill('sh');
  await expect(page).toHaveURL(/type=prod/);
  await expect(page).toHaveURL(/q=sh/);
  await expect(page.getByRole('article', { name: 'blog' })).toHaveCount(0);
  await page.getByRole('radio', { name: 'Table' }).click();
  await page.reload();
  await expect(page.getByRole('table')).toContainText('shop');
  await expect(page.getByRole('table')).not.toContainText('blog');
});
