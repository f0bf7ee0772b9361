import type { MetricsAddress, MetricsScraper } from '@ebb/core';
import { describe, expect, it } from 'vitest';

export interface MetricsScraperUnderTest {
  scraper: MetricsScraper;
  /** A server that answers with the text, with another status, or never. */
  serving(text: string): Promise<MetricsAddress>;
  refusing(status: number): Promise<MetricsAddress>;
  silent(): Promise<MetricsAddress>;
  /** Where nobody listens. */
  nobody(): Promise<MetricsAddress>;
  /** Lets time pass until the promise is settled. */
  settled<Value>(promise: Promise<Value>): Promise<PromiseSettledResult<Value>>;
}

/** What the engine relies on in a MetricsScraper. */
export function describeMetricsScraperConformance(
  name: string,
  create: () => Promise<MetricsScraperUnderTest> | MetricsScraperUnderTest,
): void {
  describe(`${name} is a MetricsScraper`, () => {
    const timeoutMs = 300;

    it('gives pages as they are, again and again, and several at once', async () => {
      const { scraper, serving, settled } = await create();
      const text = '# HELP a Ä\na{b="c"} 1\n';
      const address = await serving(text);
      const other = await serving('b 2\n');
      for (let i = 0; i < 3; i++) {
        const both = Promise.all([scraper.scrape(address, timeoutMs), scraper.scrape(other, timeoutMs)]);
        expect(await settled(both)).toEqual({ status: 'fulfilled', value: [text, 'b 2\n'] });
      }
      await scraper.close();
    });

    it('says why there is no page: nobody there, another status, no answer in time', async () => {
      const { scraper, refusing, silent, nobody, settled } = await create();
      const cases = [
        [await nobody(), /^nobody listens at http:\/\/127\.0\.0\.1:\d+\/metrics$/],
        [await refusing(404), /status 404$/],
        [await silent(), /did not answer within 300 ms$/],
      ] as const;
      for (const [address, why] of cases) {
        const result = await settled(scraper.scrape(address, timeoutMs));
        expect(result).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(why) } });
      }
      await scraper.close();
    });

    it('can be closed, and closed again', async () => {
      const { scraper } = await create();
      await scraper.close();
      await scraper.close();
    });
  });
}
