import { expect, expectAccessible, expectToFit, signIn, test } from './world';

test('services are found in a repository, chosen and declared', async ({ page, world, complaints: _ }, info) => {
  await signIn(page, world, '/new');
  await page.getByLabel('Name', { exact: true }).fill('shop');
  await page.getByLabel('Railway project').fill('acme');
  await page.getByRole('button', { name: 'Find in a repository' }).click();
  const dialog = page.getByRole('dialog');

  await dialog.getByLabel('Repository on GitHub').fill('acme/secret');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('name a Secret with a GitHub token')).toBeVisible();
  await expectAccessible(page);

  await dialog.getByLabel('Repository on GitHub').fill('acme/shop');
  await dialog.getByRole('button', { name: 'Look' }).click();
  await expect(dialog.getByRole('checkbox', { name: /^db/ })).toBeChecked();
  await expect(dialog.getByText('a database (postgres), in compose.yaml')).toBeVisible();
  // What may be a library is shown, and left alone until someone wants it.
  await expect(dialog.getByRole('checkbox', { name: /^ui/ })).not.toBeChecked();
  await dialog.getByRole('checkbox', { name: /^admin/ }).uncheck();
  for (const width of [375, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expectToFit(page);
    await page.screenshot({ path: info.outputPath(`found-${width}.png`) });
  }
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Add 2' }).click();

  await expect(page.getByLabel('GitHub repository')).toHaveValue('acme/shop');
  await expect(page.getByLabel('Branch')).toHaveValue('main');
  await expect(page.getByLabel('Folder')).toHaveValue('apps/web');
  await expect(page.getByLabel('Port of web')).toHaveValue('3000');
  for (let step = 0; step < 2; step += 1) await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByLabel('needs db')).toBeChecked();
  await page.getByRole('button', { name: 'Review' }).last().click();
  const text = page.getByLabel('YAML of the new environment');
  await expect(text).toContainText('rootDirectory: apps/web');
  await expect(text).toContainText('engine: postgres');
  await expect(page.getByText('create project acme')).toBeVisible();
});
