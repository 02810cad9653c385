import { expect, expectAccessible, signIn, small, test, type World } from './world';
import type { Page } from '@playwright/test';

async function edit(page: Page, what: string, typed: string): Promise<void> {
  const editor = page.getByLabel('YAML of shop');
  await editor.getByText(what).click();
  await page.keyboard.press('End');
  await page.keyboard.type(typed);
}

async function openEditor(page: Page, world: World): Promise<void> {
  await world.make('shop', small);
  await world.until('ready', async () => (await world.environment('shop')).status?.phase === 'Ready');
  await signIn(page, world, '/environments/default/shop?tab=yaml');
  await expect(page.getByLabel('YAML of shop')).toContainText('LOG_LEVEL: info');
}

test('a server that goes away is said to be away, and nothing typed is lost until it is back', async ({
  page,
  world,
  complaints: _,
}) => {
  await openEditor(page, world);
  await edit(page, 'LOG_LEVEL: info', '-typed');
  await world.down();
  await expect(page.getByRole('status').filter({ hasText: 'Reconnecting' })).toBeVisible();
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('The server does not answer')).toBeVisible();
  await expectAccessible(page);
  await world.restart();
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await expect(page.getByLabel('YAML of shop')).toContainText('LOG_LEVEL: info-typed');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('shop applied', { exact: true })).toBeVisible();
});

test('a session that ends asks for a token over the page, which stays as it was', async ({ page, world, complaints: _ }) => {
  await openEditor(page, world);
  await edit(page, 'LOG_LEVEL: info', '-typed');
  const list = (await (await world.api('GET', '/apis/auth.mirage.dev/v1alpha1/tokens')).json()) as {
    items: { metadata: { name: string } }[];
  };
  const session = list.items.find((token) => token.metadata.name.startsWith('session-'));
  await world.api('DELETE', `/apis/auth.mirage.dev/v1alpha1/tokens/${session?.metadata.name}`);
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to Mirage' })).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel('Token').fill('mir_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('This token is not good')).toBeVisible();
  await page.getByLabel('Token').fill(world.token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to Mirage' })).toBeHidden();
  await expect(page.getByLabel('YAML of shop')).toContainText('LOG_LEVEL: info-typed');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('shop applied', { exact: true })).toBeVisible();
});

test('someone else saved first: both changes are brought together', async ({ page, world, complaints: _ }) => {
  await openEditor(page, world);
  await edit(page, 'LOG_LEVEL: info', '-mine');
  await world.change('shop', { spec: { services: { web: { variables: { LOG_LEVEL: 'theirs', OTHER: 'added' } } } } });
  await expect(page.getByText('Someone else applied another version meanwhile.')).toBeVisible();
  await page.getByRole('button', { name: 'Apply' }).click();
  const dialog = page.getByRole('dialog', { name: 'Someone else changed it meanwhile' });
  await expect(dialog).toContainText('LOG_LEVEL: theirs');
  await expectAccessible(page);
  await dialog.getByLabel('Mine').check();
  await dialog.getByRole('button', { name: 'Use the merged text' }).click();
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('shop applied', { exact: true })).toBeVisible();
  const web = ((await world.environment('shop')).spec['services'] as { web: { variables: unknown } }).web;
  expect(web.variables).toMatchObject({ LOG_LEVEL: 'info-mine' });
});

test('invalid YAML is marked where it is wrong, by the editor and by the server', async ({ page, world, complaints: _ }) => {
  await openEditor(page, world);
  await edit(page, 'type: dev', 'elopment');
  await expect(page.locator('.cm-lintRange-error')).toHaveCount(1);
  await page.locator('.cm-lintRange-error').hover();
  await expect(page.getByText('did you mean dev?')).toBeVisible();
  await page.getByRole('button', { name: 'Dry run' }).click();
  await expect(page.getByRole('alert')).toContainText('spec.type');
  await expect(page.getByLabel('YAML of shop')).toContainText('type: development');
});

test('a token that may only look is told so, and is offered nothing else', async ({ page, world, complaints: _ }) => {
  await world.make('shop', small);
  const answer = await world.api('POST', '/apis/auth.mirage.dev/v1alpha1/tokens', {
    apiVersion: 'auth.mirage.dev/v1alpha1',
    kind: 'Token',
    metadata: { name: 'looker' },
    spec: { limits: { verbs: ['get', 'list', 'watch'] } },
  });
  const { status } = (await answer.json()) as { status: { token: string } };
  await page.goto(`${world.url}/#token=${status.token}`);
  await page.getByRole('button', { name: 'Actions for shop' }).click();
  await expect(page.getByRole('menuitem', { name: 'Destroy' })).toBeDisabled();
  await page.keyboard.press('Escape');
  await page.goto(`${world.url}/environments/default/shop?tab=yaml`);
  await edit(page, 'LOG_LEVEL: info', '-typed');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('alert')).toContainText('You may not do this');
});

test('a name with HTML in it shows as text', async ({ page, world, complaints: _ }) => {
  const evil = '<img src=x onerror="document.title=1">';
  await world.make('shop', { ...small, project: { name: evil } }, { annotations: { 'mirage.dev/owner': evil } });
  await signIn(page, world);
  await expect(page.getByRole('article', { name: 'shop' })).toContainText(evil);
  await page.goto(`${world.url}/environments/default/shop`);
  await expect(page.getByText(evil).first()).toBeVisible();
  expect(await page.locator('img[src=x]').count()).toBe(0);
  expect(await page.title()).toBe('Mirage');
});

test('another program on this machine cannot speak with the session of a browser', async ({ page, world }) => {
  await signIn(page, world);
  const [cookie] = await page.context().cookies();
  const ask = (headers: Record<string, string>) =>
    fetch(`${world.url}/apis/mirage.dev/v1alpha1/environments`, {
      headers: { cookie: `${cookie?.name}=${cookie?.value}`, ...headers },
    });
  expect((await ask({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  expect((await ask({ 'sec-fetch-site': 'same-site' })).status).toBe(401);
  expect((await ask({ 'sec-fetch-site': 'cross-site' })).status).toBe(401);
  const post = await fetch(`${world.url}/apis/mirage.dev/v1alpha1/namespaces/default/environments`, {
    method: 'POST',
    headers: { cookie: `${cookie?.name}=${cookie?.value}`, origin: 'http://127.0.0.1:1', 'content-type': 'application/json' },
    body: '{}',
  });
  expect(post.status).toBe(401);
  const page404 = await fetch(`${world.url}/`, { headers: { accept: 'text/html' } });
  expect(page404.headers.get('content-security-policy')).toContain("script-src 'self';");
});
