import type { Page } from '@playwright/test';
import { expect, expectAccessible, expectToFit, signIn, small, test, type World } from './world';

const project = (page: Page, name: string) => page.getByRole('region', { name: `Project ${name}` });
const line = (page: Page, name: string) => page.getByRole('listitem', { name: `Environment ${name}`, exact: true });

/** What somebody made in Railway's dashboard, long before Mirage. */
async function legacy(world: World): Promise<void> {
  await world.edit({ edit: 'create-project', name: 'legacy' });
  const environment = 'legacy/production';
  await world.edit({ edit: 'create-service', environment, name: 'web', image: 'nginx:1.29' });
  await world.edit({ edit: 'set-variable', environment, service: 'web', name: 'LEVEL', value: 'canary-2f8c' });
  await world.edit({ edit: 'create-environment', project: 'legacy', name: 'closed' });
  await world.edit({ edit: 'set-access', environment: 'legacy/closed', canAccess: false });
}

test('what was made by hand on Railway is found, looked into and imported', async ({ page, world, complaints: _ }, info) => {
  await world.make('shop', small);
  await legacy(world);
  await world.until('ready', async () => (await world.environment('shop')).status?.phase === 'Ready');
  await signIn(page, world);
  await page.getByRole('navigation', { name: 'Rooms' }).first().getByRole('link', { name: 'Railway' }).click();
  await expect(page).toHaveTitle(/Mirage/);

  await test.step('what Mirage manages leads to its Environment', async () => {
    await expect(project(page, 'shop')).toContainText('1 managed');
    await project(page, 'shop').getByRole('button', { name: /^shop/ }).click();
    await expect(line(page, 'shop')).toContainText('Ready');
    await expect(line(page, 'shop').getByRole('checkbox')).toHaveCount(0);
    await expect(line(page, 'shop').getByRole('link', { name: 'shop, which manages shop' })).toHaveAttribute(
      'href',
      '/environments/default/shop',
    );
  });

  await test.step('what it does not manage shows its services', async () => {
    await expect(project(page, 'legacy')).toContainText('2 external');
    await project(page, 'legacy').getByRole('button', { name: /^legacy/ }).click();
    await expect(line(page, 'closed')).toContainText('Not readable');
    await expect(line(page, 'closed').getByRole('checkbox')).toHaveCount(0);
    await line(page, 'production').getByRole('button', { name: 'Show the services of production' }).click();
    const web = page.getByRole('article', { name: 'Service web' });
    await expect(web).toContainText('nginx:1.29');
    await web.getByRole('button', { name: 'Earlier deployments of web' }).click();
    await expect(web.getByRole('list')).toContainText('success');
    await expectAccessible(page);
  });

  await test.step('an import says first what it comes to', async () => {
    await line(page, 'production').getByRole('checkbox', { name: 'Choose production' }).check();
    await page.getByRole('button', { name: 'Import…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Import from Railway' });
    await expect(dialog).toContainText('Can be imported');
    await expect(dialog.getByRole('region', { name: 'YAML of legacy-production' })).toContainText('image: nginx:1.29');
    // A value that somebody set by hand stays where it is.
    await expect(dialog).not.toContainText('canary-2f8c');
    await dialog.getByLabel('Name of the Environment').fill('shop');
    await expect(dialog).toContainText('Cannot be imported');
    await expect(dialog.getByRole('button', { name: 'Import' })).toBeDisabled();
    await dialog.getByLabel('Name of the Environment').fill('legacy');
    await expect(dialog.getByRole('region', { name: 'YAML of legacy' })).toBeVisible();
    await expectAccessible(page);
    await page.screenshot({ path: info.outputPath('railway-import.png') });
    await dialog.getByRole('button', { name: 'Import' }).click();
  });

  await test.step('and is told as it goes, also after a reload', async () => {
    const progress = page.getByRole('region', { name: 'Import' });
    await expect(progress.getByRole('listitem', { name: 'Import of legacy' })).toContainText('Imported');
    await expect(progress).toContainText('1 of 1 settled');
    await page.reload();
    await expect(progress).toContainText('Import is done');
    await expect(project(page, 'legacy')).toContainText('1 managed');
    await expectAccessible(page);
    await progress.getByRole('link', { name: 'To legacy' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('legacy');
    await expect(page.getByRole('main').getByText('Ready').first()).toBeVisible();
    await world.until('ready', async () => (await world.environment('legacy')).status?.phase === 'Ready');
  });
});

test('several are imported at once', async ({ page, world, complaints: _ }) => {
  for (const name of ['billing', 'search']) {
    await world.edit({ edit: 'create-project', name });
    await world.edit({ edit: 'create-service', environment: `${name}/production`, name: 'web', image: 'nginx:1.29' });
  }
  await signIn(page, world, '/railway');
  for (const name of ['billing', 'search']) {
    await project(page, name).getByRole('button', { name: new RegExp(`^${name}`) }).click();
    await project(page, name).getByRole('checkbox', { name: 'Choose production' }).check();
  }
  await page.getByRole('button', { name: 'Import…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import from Railway' });
  await expect(dialog.getByText('Can be imported')).toHaveCount(2);
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Import' }).click();
  const progress = page.getByRole('region', { name: 'Import' });
  await expect(progress).toContainText('2 of 2 settled');
  await world.until('both ready', async () => {
    const all = await Promise.all(['billing-production', 'search-production'].map((name) => world.environment(name)));
    return all.every((one) => one.status?.phase === 'Ready');
  });
});

test('the room fits a phone and a desk, by day and by night', async ({ page, world, complaints: _ }, info) => {
  await legacy(world);
  await signIn(page, world, '/railway');
  await project(page, 'legacy').getByRole('button', { name: /^legacy/ }).click();
  await line(page, 'production').getByRole('checkbox').check();
  await line(page, 'production').getByRole('button', { name: /services of production/ }).click();
  await expect(page.getByRole('article', { name: 'Service web' })).toBeVisible();
  for (const [width, height, theme] of [
    [1440, 900, 'light'],
    [1440, 900, 'dark'],
    [375, 812, 'dark'],
    [375, 812, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    await expectToFit(page);
    await expectAccessible(page);
    await page.screenshot({ path: info.outputPath(`railway-${width}-${theme}.png`) });
  }
});

test('the room says what it lacks, and is left out for whoever may not enter', async ({ page, world, complaints: _ }) => {
  const token = async (name: string, limits: unknown) => {
    const metadata = { name };
    const body = { apiVersion: 'auth.mirage.dev/v1alpha1', kind: 'Token', metadata, spec: { limits } };
    const answer = await world.api('POST', '/apis/auth.mirage.dev/v1alpha1/tokens', body);
    return ((await answer.json()) as { status: { token: string } }).status.token;
  };
  const enter = async (with_: string) => {
    await page.context().clearCookies();
    await page.goto('about:blank');
    await page.goto(`${world.url}/railway#token=${with_}`);
  };

  await enter(await token('apart', { resources: ['environments', 'events'] }));
  await expect(page.getByRole('alert')).toContainText('You may not do this');
  await expect(page.getByRole('navigation', { name: 'Rooms' }).first()).toContainText('Environments');
  await expect(page.getByRole('link', { name: 'Railway' })).toHaveCount(0);
  await expectAccessible(page);

  await enter(world.token);
  await expect(page.getByText('No project on Railway')).toBeVisible();
  await expectAccessible(page);

  await page.route('**/api/v1/railway/projects?*', (route) => route.fulfill({ status: 503, body: '{"message": "Railway did not answer"}' }));
  await page.getByRole('button', { name: 'Look again' }).click();
  await expect(page.getByRole('alert')).toContainText('Railway did not answer');
  await expectAccessible(page);
  await page.unroute('**/api/v1/railway/projects?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('No project on Railway')).toBeVisible();
});
