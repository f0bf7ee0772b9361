import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningEbb, startEbb } from './ebbCommand.ts';

/** Set to a folder to keep pictures of the page. */
const pictures = process.env.EBB_PICTURES;
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let ebb: RunningEbb;
let browser: Browser;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  ebb = await startEbb(['examples/upscaler/workload.yaml', 'examples/hello/node/workload.yaml']);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: quiet });
  page = await browser.newPage({ viewport: { width: 1240, height: 1500 } });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
});

afterAll(async () => {
  await browser?.close();
  await ebb?.stop();
});

const upscaler = () => page.locator('.workload', { hasText: 'upscaler' });
const figure = (name: string) => upscaler().locator(`[data-figure="${name}"] b`);

async function picture(name: string): Promise<void> {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

describe('the live page', () => {
  it('takes the token from the address and hides it', async () => {
    await page.goto(`${ebb.apiUrl}/#token=${ebb.token}`);
    await upscaler().waitFor();
    expect(page.url()).toBe(`${ebb.apiUrl}/`);
    await page.locator('[data-connection="live"]').waitFor();
    expect(await upscaler().locator('.zero').innerText()).toContain('Zero replicas');
    await picture('zero');
  });

  it('shows a replica come for a picture, and the larger picture', async () => {
    await upscaler().getByRole('button', { name: 'Send one', exact: true }).click();
    await upscaler().locator('.replica[data-phase="starting"], .replica[data-phase="pending"]').first().waitFor();
    await picture('starting');
    const large = upscaler().locator('.results img').first();
    await large.waitFor();
    await large.evaluate((image: HTMLImageElement) => image.decode());
    expect(await large.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight])).toEqual([
      512, 384,
    ]);
    await upscaler()
      .locator('.legend .load', { hasText: /load \d/ })
      .waitFor();
    expect(await upscaler().locator('.cold-start .note').innerText()).toContain('Ebb');
  });

  it('shows several replicas for a burst, then zero again and the money saved', async () => {
    await upscaler().getByRole('button', { name: 'Send 12 at once' }).click();
    await upscaler().locator('.replica[data-phase="ready"]').nth(1).waitFor();
    await picture('burst');
    await upscaler().getByText('12 of 12 answered').waitFor({ timeout: 60_000 });
    await picture('answered');
    await upscaler().locator('.zero').waitFor({ timeout: 60_000 });
    expect(await figure('ready').innerText()).toBe('0');
    expect(await upscaler().locator('.money').innerText()).toMatch(/instead of .* always on/);
    expect(await upscaler().locator('.why').innerText()).toMatch(/zero/);
  });

  it('follows documents that come and go', async () => {
    const headers = { authorization: `Bearer ${ebb.token}` };
    await fetch(`${ebb.apiUrl}/api/v1/namespaces/default/workloads/hello`, { method: 'DELETE', headers });
    await page.locator('.workload', { hasText: '/hello' }).waitFor({ state: 'detached' });
  });

  it('asks for a token when it has none, and takes the right one', async () => {
    const stranger = await browser.newPage();
    await stranger.goto(ebb.apiUrl);
    await stranger.getByLabel('token').fill('wrong');
    await stranger.getByRole('button', { name: 'Open' }).click();
    await stranger.locator('[data-connection="refused"]').waitFor();
    await stranger.getByLabel('token').fill(ebb.token);
    await stranger.getByRole('button', { name: 'Open' }).click();
    await stranger.locator('.workload', { hasText: 'upscaler' }).waitFor();
    await stranger.close();
  });

  it('makes no noise in the console and fetches nothing from elsewhere', () => {
    expect(faults).toEqual([]);
  });
});
