import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { available, type RabbitMqService, startRabbitMq } from '@ebb/testing/services';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningExample } from '../examples/image-queue/testing/runningExample.fixture.ts';

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

describe.runIf(available('rabbitmq'))("the image queue's page", () => {
  let rabbit: RabbitMqService;
  let example: RunningExample;
  let browser: Browser;
  const faults: string[] = [];

  beforeAll(async () => {
    rabbit = await startRabbitMq();
    example = await RunningExample.start(rabbit.amqpUrl);
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: quiet });
  });
  afterAll(async () => {
    await browser?.close();
    await example?.stop();
    await rabbit?.stop();
  });

  async function open(colorScheme: 'light' | 'dark', width = 1080): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 1000 }, colorScheme });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(example.url) && !/^(data|blob):/.test(request.url())) faults.push(request.url());
    });
    await page.goto(example.url);
    await page.locator('[data-connection="live"]').waitFor();
    return page;
  }

  async function keep(page: Page, name: string): Promise<void> {
    if (!pictures) return;
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, `imageQueue-${name}.png`), fullPage: true });
  }

  const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"] b`);

  it.each(['light', 'dark'] as const)(
    'shows pictures on their way from the queue to the result (%s)',
    async (scheme) => {
      const page = await open(scheme);
      await page.locator('.zero').waitFor();
      if (scheme === 'light') expect(await page.locator('#none').innerText()).toContain('No picture yet');
      await keep(page, `${scheme}-zero`);
      const before = Number(await figure(page, 'done').innerText());

      await page.getByRole('button', { name: 'Send 12' }).click();
      await page.locator('.replica.job').nth(2).waitFor();
      await page
        .locator('.picture[data-state="done"]')
        .nth(before + 1)
        .waitFor();
      await page.locator('.replica.job').nth(2).waitFor();
      await keep(page, `${scheme}-running`);
      if (pictures) await page.screenshot({ path: join(pictures, `imageQueue-${scheme}-top.png`) });

      await expect.poll(() => figure(page, 'done').innerText(), { timeout: 60_000 }).toBe(String(before + 12));
      const large = page.locator('.picture a.side img').first();
      await large.evaluate((image: HTMLImageElement) => image.decode());
      const small = page.locator('.picture .side.small img').first();
      const widthOf = (image: HTMLImageElement) => image.naturalWidth;
      expect(await large.evaluate(widthOf)).toBe(4 * (await small.evaluate(widthOf)));
      await page.locator('.zero').waitFor({ timeout: 60_000 });
      expect(await figure(page, 'jobs').innerText()).toBe('0');
      expect(await figure(page, 'queue').innerText()).toBe('0');
      await keep(page, `${scheme}-done`);
      await page.close();
    },
  );

  it('makes a large picture fit before it is sent', async () => {
    const page = await open('light', 700);
    const photo = await page.screenshot();
    await page.locator('#file').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: photo });
    const card = page.locator('.picture', { hasText: 'photo.png' });
    await card.locator('a.side').waitFor({ timeout: 60_000 });
    expect(await card.locator('.tag').allInnerTexts()).toEqual(['179 × 256', '716 × 1024']);
    await keep(page, 'narrow');
    await page.close();
  });

  it('says what is no picture, and sends nothing', async () => {
    const page = await open('light');
    const before = (await example.state()).pictures.length;
    await page
      .locator('#file')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('notes.txt: this is no picture');
    expect((await example.state()).pictures).toHaveLength(before);
    await page.close();
  });

  it('can be used by keyboard and has a name for everything that can be used', async () => {
    const page = await open('light');
    const names = [];
    for (let step = 0; step < 3; step += 1) {
      await page.keyboard.press('Tab');
      names.push(await page.evaluate(() => document.activeElement?.id));
    }
    expect(names).toEqual(['file', 'samples', 'many']);
    expect(await page.locator('img:not([alt])').count()).toBe(0);
    await page.close();
  });

  it('makes no noise in the console and fetches nothing from elsewhere', () => {
    expect(faults).toEqual([]);
  });
});
