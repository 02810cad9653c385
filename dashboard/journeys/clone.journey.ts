import { expect, expectAccessible, expectToFit, signIn, small, test } from './world';

test('an environment is cloned without a service, after a look at what will differ', async ({ page, world, complaints: _ }, info) => {
  const services = { ...small.services, cache: { source: { image: 'redis:8' } } };
  await world.make('shop', { ...small, services });
  await world.until('ready', async () => (await world.environment('shop')).status?.phase === 'Ready');
  await signIn(page, world);
  await page.getByRole('button', { name: 'Actions for shop' }).click();
  await page.getByRole('menuitem', { name: 'Clone' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Another one like shop');

  await page.getByLabel('Name').fill('shop');
  await expect(page.getByText('there is an Environment "shop" in namespace "default" already')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Clone/ })).toBeDisabled();

  await page.getByLabel('Name').fill('twin');
  await page.getByLabel('Type').selectOption('ephemeral');
  await page.getByLabel('Lives for').fill('3d');
  await page.getByRole('checkbox', { name: 'cache' }).uncheck();
  const differs = page.getByRole('listitem');
  await expect(differs.filter({ hasText: 'type' }).filter({ hasText: 'dev → ephemeral' })).toBeVisible();
  await expect(differs.filter({ hasText: 'services.cache' }).filter({ hasText: 'left out' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Plan' })).toContainText('web');
  await page.getByText('What will be declared').click();
  await expect(page.getByRole('region', { name: 'YAML of the copy' })).toContainText('ttl: 3d');
  for (const [width, height, theme] of [
    [1440, 900, 'light'],
    [375, 812, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
    await expectToFit(page);
    await expectAccessible(page);
    await page.screenshot({ path: info.outputPath(`clone-${width}-${theme}.png`), fullPage: true });
  }

  await page.getByRole('button', { name: /^Clone/ }).click();
  await expect(page.getByText('It is up.')).toBeVisible({ timeout: 90_000 });
  const { spec } = await world.environment('twin');
  expect(Object.keys(spec['services'] as object)).toEqual(['web']);
});
