import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testLookups } from '../auth/lookups.fixture.ts';
import { Connections } from '../runtime/connections.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { withinTime } from '../runtime/withinTime.ts';
import type { AnyScaler } from './definition.ts';
import { SourceError, type SourceErrorCode } from './errors.ts';
import type { ScalerContext, SourceReading, TriggerSource } from './source.ts';

/** A real source that the suite drives. What is left out is a case that the kind of source does not have. */
export interface SourceUnderTest {
  /** A trigger that reads what `set` sets. Its target and activation are up to the test; activation must be 0. */
  values: TriggerValues;
  /** Makes the source hold that many; resolves when its own tools show them. */
  set(count: number): Promise<void>;
  /** What the source's own tool says. */
  truth(): Promise<number>;
  /** Everything that reading must leave as it is: positions, acknowledgements, consumers, settings. */
  snapshot?(): Promise<unknown>;
  /** The same trigger with an activation value of 5. */
  activatesAbove5: TriggerValues;
  wrongName?: { values: TriggerValues; is: SourceErrorCode | number };
  wrongSignIn?: { values: TriggerValues; is: SourceErrorCode };
  /** Reads something named in Unicode that holds exactly 3. */
  unicode?: TriggerValues;
  /** The same trigger towards a place that accepts connections and never answers. */
  blackHole?: TriggerValues;
  /** The same trigger towards a port at which nothing listens. */
  refused?: TriggerValues;
  restart?(): Promise<void>;
  /** Holds a million: reading must stay quick, because the source knows the length. */
  million?(): Promise<void>;
  close(): Promise<void>;
}

export interface SourceSuite {
  definition: AnyScaler;
  start(): Promise<SourceUnderTest>;
  /** Lengths that are set one after the other; default 0, 1, 7, 120. */
  counts?: readonly number[];
  /** Value the scaler gives for a length; default the length. */
  expected?(count: number): number;
  /** Longest wait for `watch` to tell of a change, ms: what is told late is told. Default 15 s. */
  newsWithinMs?: number;
}

/** Where a source that does not answer is given up on, soon. */
export const soon = { timeoutMs: 1500 } as const;

/** What the tests give a definition where nothing inside Ebb is looked at. A slow machine has time for its first connection. */
export function testContext(changes: Partial<ScalerContext> = {}): ScalerContext {
  return {
    connections: new Connections(),
    timeoutMs: 6000,
    nowMs: () => Math.floor(performance.now()),
    wallNowMs: () => Date.now(),
    inside: { replicas: () => 0, requests: () => null, watch: () => () => {} },
    object: { namespace: 'default', name: 'test', kind: 'ScaledObject' },
    cloud: testLookups(),
    triggerIndex: 0,
    log: () => {},
    ...changes,
  };
}

export function readOnce(source: TriggerSource, context: ScalerContext): Promise<SourceReading> {
  return withinTime(context.timeoutMs, 'the source', (signal) => source.read(signal));
}

/** Resolves with the first answer that fits; asks again until `withinMs` is over. */
export async function readUntil(
  source: TriggerSource,
  context: ScalerContext,
  fits: (reading: SourceReading) => boolean,
  withinMs = 30_000,
): Promise<SourceReading> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const answer = await readOnce(source, context).catch((error: unknown) => error);
    if (!(answer instanceof Error) && fits(answer as SourceReading)) return answer as SourceReading;
    if (performance.now() > endMs)
      throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(answer)} ${String(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function failure(source: TriggerSource, context: ScalerContext): Promise<SourceError> {
  const error: unknown = await readOnce(source, context).then(
    (reading) => new Error(`read ${JSON.stringify(reading)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SourceError)) throw error;
  return error;
}

/** What holds for every scaler, against a real source. */
export function describeSource(name: string, suite: SourceSuite): void {
  const { definition, counts = [0, 1, 7, 120], expected = (count: number) => count, newsWithinMs = 15_000 } = suite;
  describe(name, () => {
    let under: SourceUnderTest;
    beforeAll(async () => {
      under = await suite.start();
    });
    afterAll(async () => {
      await under?.close();
    });

    async function using<Result>(
      values: TriggerValues,
      action: (source: TriggerSource, context: ScalerContext) => Promise<Result>,
      changes: Partial<ScalerContext> = {},
    ): Promise<Result> {
      const context = testContext(changes);
      const source = openTrigger(definition, values, context);
      try {
        return await action(source, context);
      } finally {
        await source.close();
        expect(context.connections.size).toBe(0);
      }
    }

    it('reads what the source itself says', async () => {
      await using(under.values, async (source, context) => {
        for (const count of counts) {
          await under.set(count);
          const reading = await readUntil(source, context, ({ value }) => value === expected(count));
          expect(reading.active).toBe(expected(count) > 0);
          expect(await under.truth()).toBe(count);
        }
      });
    });

    it('is active strictly above the activation value', async () => {
      await using(under.activatesAbove5, async (source, context) => {
        for (const [count, active] of [
          [5, false],
          [6, true],
        ] as const) {
          await under.set(count);
          expect((await readUntil(source, context, ({ value }) => value === expected(count))).active).toBe(active);
        }
      });
    });

    it('changes nothing at the source', async (test) => {
      if (!under.snapshot) return test.skip();
      await under.set(3);
      const before = await under.snapshot();
      await using(under.values, async (source, context) => {
        const stop = source.watch?.(() => {}, { intervalMs: 100 });
        for (let times = 0; times < 5; times++) await readOnce(source, context);
        stop?.();
      });
      expect(await under.snapshot()).toEqual(before);
    });

    it('tells news by itself, where it says that it can', async (test) => {
      await using(under.values, async (source, context) => {
        if (!source.watch) return test.skip();
        await under.set(0);
        await readUntil(source, context, ({ value }) => value === expected(0));
        const heard = Promise.withResolvers<void>();
        const stop = source.watch(
          (news) => {
            if (news instanceof Error) return;
            if (news !== null) {
              if (news.value === expected(4)) heard.resolve();
              return;
            }
            readOnce(source, context).then(
              ({ value }) => value === expected(4) && heard.resolve(),
              () => {},
            );
          },
          { intervalMs: 100 },
        );
        await under.set(4);
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise((_, reject) => {
          timer = setTimeout(() => reject(new Error(`no news within ${newsWithinMs} ms`)), newsWithinMs);
        });
        try {
          await Promise.race([heard.promise, late]);
        } finally {
          clearTimeout(timer);
          stop();
        }
      });
    });

    it('says that the sign-in was refused', async (test) => {
      const { wrongSignIn } = under;
      if (!wrongSignIn) return test.skip();
      const error = await using(wrongSignIn.values, failure);
      expect(error.code).toBe(wrongSignIn.is);
      for (const secret of Object.values(wrongSignIn.values.auth)) {
        if (secret.length > 3) expect(error.message).not.toContain(secret);
      }
    });

    it('says what a wrong name comes to', async (test) => {
      const { wrongName } = under;
      if (!wrongName) return test.skip();
      if (typeof wrongName.is === 'number') {
        expect((await using(wrongName.values, readOnce)).value).toBe(wrongName.is);
      } else {
        expect((await using(wrongName.values, failure)).code).toBe(wrongName.is);
      }
    });

    it('reads Unicode names', async (test) => {
      const { unicode } = under;
      if (!unicode) return test.skip();
      await using(unicode, (source, context) => readUntil(source, context, ({ value }) => value === 3));
    });

    it('gives up in time where nothing answers', async (test) => {
      const { blackHole } = under;
      if (!blackHole) return test.skip();
      const startedMs = performance.now();
      expect((await using(blackHole, failure, soon)).code).toBe('timeout');
      expect(performance.now() - startedMs).toBeLessThan(5000);
    });

    it('says at once that nothing listens', async (test) => {
      const { refused } = under;
      if (!refused) return test.skip();
      expect((await using(refused, failure)).code).toBe('unreachable');
    });

    it('gets over a restart of the source without being opened anew', async (test) => {
      const { restart } = under;
      if (!restart) return test.skip();
      await using(under.values, async (source, context) => {
        await under.set(2);
        await readUntil(source, context, ({ value }) => value === expected(2));
        await under.restart?.();
        await under.set(9);
        await readUntil(source, context, ({ value }) => value === expected(9), 60_000);
      });
    });

    it('reads a length of a million as quickly as one of ten', async (test) => {
      const { million } = under;
      if (!million) return test.skip();
      await under.million?.();
      await using(under.values, (source, context) =>
        readUntil(source, context, ({ value }) => value === expected(1_000_000)),
      );
    });
  });
}
