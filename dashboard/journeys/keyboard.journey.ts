import { expect, signIn, small, test } from './world';

test('an environment is found, suspended and destroyed by keyboard alone', async ({ page, world, complaints: _ }) => {
  await world.make('shop', { ...small, type: 'prod' });
  await signIn(page, world);
  await expect(page.getByRole('article', { name: 'shop' })).toBeVisible();

  await page.keyboard.press('Control+k');
  await expect(page.getByPlaceholder('Environment, room or theme…')).toBeFocused();
  await page.keyboard.type('shop');
  await expect(page.getByRole('option', { name: /shop/ })).toHaveAttribute('data-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'shop', level: 1 })).toBeVisible();

  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  for (let press = 0; press < 40 && (await focused()) !== 'Actions for shop'; press += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  // The first entry that can be chosen: what that is depends on how far the environment is.
  const opened = () => expect(page.getByRole('menuitem').and(page.locator(':focus'))).toBeVisible();
  const chosen = (name: string) => expect(page.getByRole('menuitem', { name })).toBeFocused();
  await opened();
  await page.keyboard.type('Susp');
  await chosen('Suspend');
  await page.keyboard.press('Enter');
  await world.until('suspended', async () => (await world.environment('shop')).spec['suspend'] === true);

  // Whoever closes a menu is back where it was opened.
  await expect(page.getByRole('button', { name: 'Actions for shop' })).toBeFocused();
  await page.keyboard.press('Enter');
  await opened();
  await page.keyboard.press('End');
  await chosen('Destroy');
  await page.keyboard.press('Enter');
  // Production goes only by its name.
  await expect(page.getByRole('button', { name: 'Destroy' })).toBeDisabled();
  await page.keyboard.type('shop');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByText('There is no shop')).toBeVisible({ timeout: 90_000 });
});
