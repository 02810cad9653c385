import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import type { Server } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gitHub } from './github';

const binary = process.env['MIRAGE_BINARY'] ?? fileURLToPath(new URL('../../target/debug/mirage', import.meta.url));

/** How much faster than life the simulated Railway runs. */
const SPEED = '20';

/** Longer than anything here takes on a busy machine. */
const PATIENCE_MS = 120_000;

/** The real binary, with a Railway and a data folder of its own. */
export class World {
  private process: ChildProcess | undefined;
  private log = '';
  url = '';
  railway = '';
  token = '';

  private constructor(
    readonly folder: string,
    private readonly gitHub: { server: Server; root: string },
  ) {}

  static async start(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'mirage-journey-')), await gitHub());
    await world.up('127.0.0.1:0');
    return world;
  }

  /** Starts the server, at the same address as before where there was one. */
  async up(listen: string): Promise<void> {
    const started = spawn(
      binary,
      [
        ...['serve', '--simulate-railway', '--simulation-speed', SPEED],
        ...['--listen', listen, '--listen-tls', '127.0.0.1:0', '--github-api', this.gitHub.root],
      ],
      { env: { PATH: process.env['PATH'] ?? '', MIRAGE_DATA_DIR: this.folder }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.process = started;
    started.stderr?.on('data', (some: Buffer) => (this.log += some.toString()));
    const begun = Date.now();
    for (;;) {
      try {
        const text = await readFile(join(this.folder, 'addresses.json'), 'utf8');
        const addresses = JSON.parse(text) as { http: string; railway: string; pid: number };
        if (addresses.pid === started.pid) {
          this.url = addresses.http;
          this.railway = addresses.railway.replace('/graphql/v2', '');
          this.token = (await readFile(join(this.folder, 'admin.token'), 'utf8')).trim();
          return;
        }
      } catch {
        // Not yet.
      }
      if (started.exitCode !== null || Date.now() - begun > PATIENCE_MS) {
        throw new Error(`the server did not start:\n${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async down(): Promise<void> {
    const running = this.process;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await ended;
  }

  /** Comes back where it was. */
  async restart(): Promise<void> {
    await this.up(new URL(this.url).host);
  }

  async end(): Promise<void> {
    await this.down();
    this.gitHub.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The API, as another client uses it. */
  async api(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async make(name: string, spec: unknown, metadata: Record<string, unknown> = {}): Promise<void> {
    await this.put('environments', { kind: 'Environment', metadata: { name, ...metadata }, spec });
  }

  /** Makes an object of one of Mirage's kinds. */
  async put(plural: string, object: { kind: string; metadata: { name: string }; spec: unknown }): Promise<void> {
    const path = `/apis/mirage.dev/v1alpha1/namespaces/default/${plural}`;
    const answer = await this.api('POST', path, { apiVersion: 'mirage.dev/v1alpha1', ...object });
    if (!answer.ok) throw new Error(await answer.text());
  }

  async change(name: string, patch: unknown): Promise<void> {
    const path = `/apis/mirage.dev/v1alpha1/namespaces/default/environments/${name}`;
    const answer = await this.api('PATCH', path, patch, 'application/merge-patch+json');
    if (!answer.ok) throw new Error(await answer.text());
  }

  async environment(name: string): Promise<{ spec: Record<string, unknown>; status?: { phase?: string } }> {
    const answer = await this.api('GET', `/apis/mirage.dev/v1alpha1/namespaces/default/environments/${name}`);
    return (await answer.json()) as { spec: Record<string, unknown>; status?: { phase?: string } };
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    await expect.poll(holds, { message: what, timeout: PATIENCE_MS }).toBe(true);
  }

  /** From now on deployments of a service fail; without one, none do any more. */
  async breakBuilds(service?: string): Promise<void> {
    const answer = service
      ? await fetch(`${this.railway}/_simulator/faults`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ kind: 'deployment', ending: { ending: 'build-fails' }, object: service }),
        })
      : await fetch(`${this.railway}/_simulator/faults`, { method: 'DELETE' });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** What there is on the simulated Railway, by name. */
  async inventory(): Promise<unknown> {
    return (await fetch(`${this.railway}/_simulator/inventory`)).json();
  }

  /** A person at Railway's dashboard, behind Mirage's back. */
  async edit(edit: unknown): Promise<void> {
    const answer = await fetch(`${this.railway}/_simulator/edit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ edit: undefined, ...(edit as object) }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

/** What the browser complained about: a journey that ends well may not leave any. */
export interface Complaints {
  found: string[];
}

export const test = base.extend<{ world: World; complaints: Complaints }>({
  world: async ({}, use) => {
    const world = await World.start();
    await use(world);
    await world.end();
  },
  complaints: async ({ page }, use) => {
    const found: string[] = [];
    page.on('pageerror', (error) => found.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) found.push(message.text());
    });
    await use({ found });
    expect(found).toEqual([]);
  },
});

export { expect };

/** Comes in by the link that the server prints. */
export async function signIn(page: Page, world: World, path = '/'): Promise<void> {
  await page.goto(`${world.url}${path}#token=${world.token}`);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
}

/** How long a page may take to come to rest after its size or theme changed. */
const REST_MS = 10_000;

/** Nothing that axe knows of is wrong with the page at rest, contrast included. */
export async function expectAccessible(page: Page): Promise<void> {
  await expect(async () => expect(await violationsOf(page)).toEqual([])).toPass({ timeout: REST_MS });
}

async function violationsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    // Railway's own pictures and the editor's inner parts are other people's.
    .exclude('.cm-scroller')
    .analyze();
  return violations.map(
    (violation) => `${violation.id}: ${violation.nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''}`).join('\n  ')}`,
  );
}

/** A page at rest does not scroll sideways, and nothing of what stands around every room is cut off. */
export async function expectToFit(page: Page): Promise<void> {
  await expect(async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    expect(await cutOff(page)).toEqual([]);
  }).toPass({ timeout: REST_MS });
}

function cutOff(page: Page): Promise<(string | null)[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('header :is(a, button), nav :is(a, button)')]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return left < 0 || right > window.innerWidth || element.scrollWidth > element.clientWidth + 1;
      })
      .map((element) => element.textContent),
  );
}

/** A small environment that is up in seconds. */
export const small = {
  type: 'dev',
  project: { name: 'shop' },
  drift: { mode: 'report' },
  services: {
    web: {
      source: { image: 'nginx:1.29' },
      deploy: { replicas: 1 },
      variables: { LOG_LEVEL: 'info' },
      domains: [{ port: 80 }],
    },
  },
};
