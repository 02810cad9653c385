import { expect, expectAccessible, expectToFit, signIn, test } from './world';

test('what the wizard made and did not come up is rolled back, made again and resumed', async ({ page, world, complaints: _ }, info) => {
  const keep = (name: string) => page.screenshot({ path: info.outputPath(`${name}.png`), fullPage: true });
  const secret = () => world.api('GET', '/api/v1/namespaces/default/secrets/shop-variables');
  await world.breakBuilds('web');
  await signIn(page, world, '/new');

  await test.step('it is described', async () => {
    await page.getByLabel('Name', { exact: true }).fill('shop');
    await page.getByLabel('Railway project').fill('acme');
    await page.getByRole('button', { name: 'Image' }).click();
    await page.getByLabel('Image', { exact: true }).fill('nginx:1.29');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Import .env' }).click();
    await page.getByLabel('Content of the file').fill('API_SECRET=hunter2\n');
    await page.getByRole('button', { name: 'Import 1' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Healthy within').fill('soon');
    await page.getByRole('button', { name: 'Review' }).last().click();
    await expect(page.getByText('Write it as 10m or 90s.')).toBeVisible();
    await page.getByLabel('Healthy within').fill('5m');
    await page.getByLabel('When a service fails').selectOption('rollback');
    await page.getByRole('button', { name: 'Review' }).last().click();
    const text = page.getByLabel('YAML of the new environment');
    await expect(text).toContainText('healthTimeout: 5m');
    await expect(text).toContainText('onFailure: rollback');
    await page.getByRole('button', { name: /^Create/ }).click();
  });

  await test.step('it fails, and says what can be done', async () => {
    await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible({ timeout: 90_000 });
    await expect(page.getByText('Correct the spec, or try again')).toBeVisible();
    expect((await secret()).status).toBe(200);
    expect(JSON.stringify(await world.inventory())).toContain('"web"');
    await expectAccessible(page);
    for (const width of [375, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await expectToFit(page);
      await keep(`failed-${width}`);
    }
  });

  await test.step('what was made is rolled back, what was written is not', async () => {
    await page.getByRole('button', { name: 'Roll back' }).click();
    await expect(page.getByRole('dialog')).toContainText('What you wrote is kept here');
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await expect(page.getByText('shop is rolled back')).toBeVisible({ timeout: 90_000 });
    expect((await secret()).status).toBe(404);
    expect(JSON.stringify(await world.inventory())).not.toContain('"web"');
    await expectAccessible(page);
    await keep('rolled-back');
    await page.getByRole('button', { name: 'Back to what was written' }).click();
    await expect(page.getByLabel('YAML of the new environment')).toContainText('nginx:1.29');
  });

  await test.step('the same again fails again, and is resumed when the cause is gone', async () => {
    await page.getByRole('button', { name: /^Create/ }).click();
    await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible({ timeout: 90_000 });
    await world.breakBuilds();
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(page.getByText('It is up.')).toBeVisible({ timeout: 90_000 });
    expect((await secret()).status).toBe(200);
  });
});
