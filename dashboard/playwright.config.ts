import { defineConfig } from '@playwright/test';

/** The system's browser: none is fetched. `deploy/test-dashboard.sh` says which. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'journeys',
  testMatch: '*.journey.ts',
  outputDir: 'journeys/.results',
  reporter: [[process.env['CI'] ? 'line' : 'list'], ['./journeys/last-words.ts']],
  // As Playwright's own template has it; whoever passes only then is named at the end.
  retries: process.env['CI'] ? 1 : 0,
  // Each journey has a server of its own; two cores carry one at a time.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath, args: ['--no-sandbox'] },
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
  },
});
