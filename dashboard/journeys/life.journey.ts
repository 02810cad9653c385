import { expect, expectAccessible, expectToFit, signIn, test } from './world';

test('from the token link through the wizard to a ready environment, drift, a repair, a plan, a longer life and the end', async ({
  page,
  world,
  complaints: _,
}, info) => {
  const keep = (name: string) => page.screenshot({ path: info.outputPath(`${name}.png`), fullPage: true });
  await test.step('the link signs in, and leaves no token behind', async () => {
    await signIn(page, world);
    expect(page.url()).toBe(`${world.url}/`);
    const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    expect(stored).not.toContain(world.token);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie?.value).not.toBe(world.token);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    await expect(page.getByText('No environment yet')).toBeVisible();
    await expectAccessible(page);
    await keep('empty');
  });

  await test.step('the wizard asks for what is missing', async () => {
    await page.getByRole('link', { name: 'Make the first one' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await expect(page.getByText('Add at least one service.')).toBeVisible();
    await page.getByLabel('Name', { exact: true }).fill('shop');
    await page.getByLabel('Railway project').fill('acme');
    await page.getByRole('button', { name: 'Image' }).click();
    await page.getByLabel('Image', { exact: true }).fill('nginx:1.29');
    await page.getByLabel('Public address').check();
    await page.getByLabel('Port of web').fill('80');
    await page.getByRole('button', { name: 'Database' }).click();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
  });

  await test.step('a .env file is imported, and what is secret stays out of the spec', async () => {
    await page.getByLabel('Template', { exact: true }).selectOption('dev');
    await page.getByLabel('Lives for').fill('2d');
    await page.getByRole('button', { name: 'Import .env' }).click();
    await page.getByLabel('Content of the file').fill('LOG_LEVEL=info\nSTRIPE_SECRET="hunter2-canary"\n');
    await page.getByLabel('For', { exact: true }).selectOption('web');
    await page.getByRole('button', { name: 'Import 2' }).click();
    await expect(page.getByText('What it comes to')).toBeVisible();
    const values = page.getByRole('region', { name: 'Values and where they come from' });
    await expect(values).toContainText('variables.LOG_LEVEL');
    await expect(values).toContainText('template, base');
    await expect(values).not.toContainText('hunter2-canary');
    await expectAccessible(page);
    await keep('wizard-configuration');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Wave by wave').check();
    await page.getByLabel('Drift on Railway').selectOption('report');
    await page.getByLabel('needs postgres').check();
    await expectAccessible(page);
    await keep('wizard-strategy');
    await page.getByRole('button', { name: 'Review' }).last().click();
  });

  await test.step('the review shows the YAML and what it costs', async () => {
    const text = page.getByLabel('YAML of the new environment');
    await expect(text).toContainText('secretRef');
    await expect(text).not.toContainText('hunter2-canary');
    await expect(page.getByText('create project acme')).toBeVisible();
    await expect(page.getByText(/\d+ Railway requests/)).toBeVisible();
    for (const width of [375, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await expectToFit(page);
      await keep(`wizard-review-${width}`);
    }
    await expectAccessible(page);
    await page.getByRole('button', { name: /^Create/ }).click();
  });

  await test.step('it comes up under the eyes of whoever made it', async () => {
    await expect(page.getByRole('progressbar', { name: 'Progress' })).toBeVisible();
    await keep('progress');
    await expect(page.getByText('It is up.')).toBeVisible({ timeout: 90_000 });
    await page.getByRole('link', { name: 'To the environment' }).click();
    await expect(page.getByRole('heading', { name: 'shop', level: 1 })).toBeVisible();
    await expect(page.getByRole('article', { name: 'postgres' }).getByText('Ready')).toBeVisible();
    await expectAccessible(page);
  });

  await test.step('what someone changes on Railway is seen, and repaired when asked', async () => {
    await world.edit({ edit: 'set-variable', environment: 'acme/shop', service: 'web', name: 'LOG_LEVEL', value: 'trace' });
    await expect(page.getByRole('tab', { name: /Drift 1/ })).toBeVisible();
    await page.getByRole('tab', { name: /Drift/ }).click();
    await expect(page.getByRole('row', { name: /variable LOG_LEVEL/ })).toContainText('info');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Repair, and keep it repaired' }).click();
    await expect(page.getByText('No drift')).toBeVisible();
    await world.until('ready again', async () => (await world.environment('shop')).status?.phase === 'Ready');
  });

  await test.step('another text is planned before it is applied', async () => {
    await page.getByRole('tab', { name: 'YAML' }).click();
    const editor = page.getByLabel('YAML of shop');
    await expect(editor).toContainText('LOG_LEVEL: info');
    await editor.getByText('LOG_LEVEL: info').click();
    await page.keyboard.press('End');
    await page.keyboard.type('rmation');
    await page.getByRole('button', { name: 'Plan', exact: true }).click();
    await expect(page.getByText('change variable LOG_LEVEL')).toBeVisible();
    await keep('plan');
    await page.getByRole('button', { name: 'Apply' }).click();
    await expect(page.getByText('shop applied', { exact: true })).toBeVisible();
    await page.getByRole('tab', { name: 'History' }).click();
    await expect(page.getByText('after: information')).toBeVisible();
    await expectAccessible(page);
  });

  await test.step('its life is extended, and it is destroyed', async () => {
    const actions = page.getByRole('button', { name: 'Actions for shop' });
    await actions.click();
    await page.getByRole('menuitem', { name: 'Extend its life' }).click();
    await page.getByRole('radio', { name: '1 week' }).click();
    await page.getByRole('button', { name: 'Extend' }).click();
    await expect(page.getByText('shop lives longer', { exact: true })).toBeVisible();
    await world.until('a longer ttl', async () => /^1w2d/.test(String((await world.environment('shop')).spec['ttl'])));
    await actions.click();
    await page.getByRole('menuitem', { name: 'Destroy' }).click();
    await expectAccessible(page);
    await keep('destroy');
    await page.getByRole('button', { name: 'Destroy' }).click();
    await expect(page.getByText('There is no shop')).toBeVisible({ timeout: 90_000 });
  });
});
