import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  available,
  blackHole,
  type PrometheusService,
  refusedPort,
  startPrometheus,
  until,
} from '../../../testing/src/services/index.ts';
import { describeSource, readOnce, readUntil, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { prometheus } from './prometheus.ts';

/** A workload that Prometheus scrapes. */
class Target {
  waiting = 0;
  readonly #server: Server = createServer((_request, response) => {
    response.end(
      `jobs_waiting{queue="a"} ${this.waiting}\njobs_waiting{queue="größe 🚀"} 3\nodd NaN\nhuge +Inf\nbelow -2\n`,
    );
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

const user = { user: 'ebb', password: 'right-secret' };
const signIn = { username: user.user, password: user.password };
const waiting = 'jobs_waiting{queue="a"}';

function values(
  serverAddress: string,
  changes: Record<string, string> = {},
  auth: Record<string, string> = signIn,
): TriggerValues {
  return { metadata: { serverAddress, query: waiting, threshold: '5', authModes: 'basic', ...changes }, auth, env: {} };
}

describe.runIf(available('prometheus'))('the real thing', () => {
  describeSource('prometheus', {
    definition: prometheus,
    async start() {
      const target = new Target();
      const service = await startPrometheus({ targets: [await target.listen()], webAuth: user });
      const hole = await blackHole();
      const truth = async () => (await service.query(waiting))[0]?.value ?? Number.NaN;
      return {
        values: values(service.url),
        activatesAbove5: values(service.url, { activationThreshold: '5' }),
        async set(count) {
          target.waiting = count;
          await until(async () => (await truth()) === count, { withinMs: 60_000, what: () => `a scrape of ${count}` });
        },
        truth,
        snapshot: () => service.query('count({__name__=~"jobs.*"})'),
        wrongName: { values: values(service.url, { query: 'nothing_there' }), is: 0 },
        wrongSignIn: {
          values: values(service.url, {}, { username: 'ebb', password: 'wrong-secret' }),
          is: 'unauthorized',
        },
        unicode: values(service.url, { query: 'jobs_waiting{queue="größe 🚀"}' }),
        blackHole: values(`http://${hole.address}`),
        refused: values(`http://127.0.0.1:${await refusedPort()}`),
        restart: () => service.restart(),
        async close() {
          await hole.stop();
          await service.stop();
          await target.stop();
        },
      };
    },
  });

  describe('what it makes of answers', () => {
    const target = new Target();
    let service: PrometheusService;
    beforeAll(async () => {
      service = await startPrometheus({ targets: [await target.listen()], tls: 'mutual' });
      await until(async () => (await service.query('huge')).length === 1, {
        withinMs: 60_000,
        what: () => 'the first scrape',
      });
    });
    afterAll(async () => {
      await service?.stop();
      await target.stop();
    });

    async function read(changes: Record<string, string>) {
      const {
        caCert: ca,
        clientCert: cert,
        clientKey: key,
      } = service.tls?.pem ?? { caCert: '', clientCert: '', clientKey: '' };
      const context = testContext();
      const source = openTrigger(
        prometheus,
        values(service.url, { authModes: 'tls', ...changes }, { ca, cert, key }),
        context,
      );
      try {
        return await readOnce(source, context);
      } finally {
        await source.close();
        expect(context.connections.size).toBe(0);
      }
    }

    it.each<[string, number]>([
      ['sum(jobs_waiting)', 3],
      ['scalar(sum(jobs_waiting))', 3],
      ['vector(0.25)', 0.25],
      ['42', 42],
      ['below', 0],
    ])('%s is %d', async (query, value) => {
      expect(await read({ query, ignoreNullValues: 'false' })).toMatchObject({ value });
    });

    it.each(['nothing_there', 'odd', 'huge', '-huge', 'jobs_waiting{queue="a"}[1m]'])(
      '%s is 0 and says so, or an error',
      async (query) => {
        expect(await read({ query })).toEqual({
          value: 0,
          active: false,
          message: expect.stringContaining('read as 0'),
        });
        await expect(read({ query, ignoreNullValues: 'false' })).rejects.toMatchObject({ code: 'bad-answer' });
      },
    );

    it.each([
      ['jobs_waiting', 'bad-setting', /2 series/],
      ['jobs_waiting{', 'bad-setting', /parse error/],
      ['"text"', 'bad-setting', /text/],
    ])('%s is an error', async (query, code, message) => {
      await expect(read({ query })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    });

    it('takes an address with a slash at its end, and sends what it is told to', async () => {
      expect(
        (
          await read({
            serverAddress: `${service.url}/`,
            query: '7',
            namespace: 'ns',
            queryParameters: 'dedup=true',
            customHeaders: 'X-Scope-OrgID=a',
          })
        ).value,
      ).toBe(7);
      // Prometheus evaluates at the time that a parameter of that name says.
      expect((await read({ query: 'time()', queryParameters: 'time=1000' })).value).toBe(1000);
      await expect(read({ serverAddress: `${service.url}/nowhere` })).rejects.toMatchObject({ code: 'not-found' });
    });

    it('turns the end of a scrape into 0 by default, which is why it can be told not to', async () => {
      const own = new Target();
      own.waiting = 7;
      const address = await own.listen();
      const context = testContext();
      const scraping = await startPrometheus({ targets: [address] });
      try {
        const open = (ignoreNullValues: string) =>
          openTrigger(
            prometheus,
            {
              metadata: { serverAddress: scraping.url, query: waiting, threshold: '1', ignoreNullValues },
              auth: {},
              env: {},
            },
            context,
          );
        const [lenient, strict] = [open('true'), open('false')];
        await readUntil(lenient, context, ({ value }) => value === 7, 20_000);
        await own.stop();
        await readUntil(lenient, context, ({ value, message }) => value === 0 && message !== undefined, 20_000);
        await expect(readOnce(strict, context)).rejects.toMatchObject({
          code: 'bad-answer',
          message: expect.stringContaining('no series'),
        });
        await Promise.all([lenient.close(), strict.close()]);
      } finally {
        await scraping.stop();
        await own.stop().catch(() => {});
      }
    });
  });
});
