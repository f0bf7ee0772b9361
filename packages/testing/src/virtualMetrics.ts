import type { Clock, MetricsAddress, MetricsScraper } from '@ebb/core';

/** What a page is asked for: its text, why there is none, or null: no answer ever. */
export type VirtualPage = (address: MetricsAddress) => string | { error: string } | null;

/** Pages of metrics that the test makes, on virtual time. */
export class VirtualMetrics implements MetricsScraper {
  readonly #clock: Clock;
  #closed = false;
  /** Made anew for each scrape, when the answer is due. */
  page: VirtualPage = ({ host, port, path }) => ({ error: `nobody listens at http://${host}:${port}${path}` });
  /** How long an answer takes. */
  delayMs = 1;
  scrapes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async scrape(address: MetricsAddress, timeoutMs: number): Promise<string> {
    const { host, port, path } = address;
    const place = `http://${host}:${port}${path}`;
    if (this.#closed) throw new Error(`${place} could not be read: closed`);
    this.scrapes++;
    const answerMs = Math.min(this.delayMs, timeoutMs);
    await this.#pass(answerMs);
    const page = this.delayMs >= timeoutMs ? null : this.page(address);
    if (page === null) {
      await this.#pass(timeoutMs - answerMs);
      throw new Error(`${place} did not answer within ${timeoutMs} ms`);
    }
    if (typeof page !== 'string') throw new Error(page.error);
    return page;
  }

  #pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#clock.at(this.#clock.nowMs() + delayMs, resolve));
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
