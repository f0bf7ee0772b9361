import { describe, expect, it } from 'vitest';
import type { ProviderFaults, ProviderUnderTest, ProviderWitness } from './providerUnderTest.ts';

type Setting = { under: ProviderUnderTest; witness: ProviderWitness };
type Skip = (note: string) => void;

/** The list of faults: what may go wrong with machines, and what a provider says then. */
export function describeProviderFaults(current: () => Setting): void {
  const about = <Name extends keyof ProviderFaults>(
    name: Name,
    what: string,
    check: (fault: NonNullable<ProviderFaults[Name]>, setting: Setting) => Promise<void>,
  ) => {
    it(`${name}: ${what}`, async ({ skip }: { skip: Skip }) => {
      const setting = current();
      const fault = setting.under.faults[name];
      if (!fault) return skip(`this provider cannot be made to show "${name}"`);
      await check(fault.bind(setting.under.faults) as NonNullable<ProviderFaults[Name]>, setting);
    });
  };

  describe('faults', () => {
    for (const [name, code] of [
      ['stockOut', 'stock-out'],
      ['quota', 'quota'],
    ] as const)
      about(
        name,
        `launches are refused with ${code}, nothing is bought, and the same id can be had later`,
        async (fault, { under, witness }) => {
          const undo = await fault();
          const launch = under.launch(`fault-${code}`);
          await witness.refused(under.provider.launch(launch), [code]);
          await under.pass();
          expect(await witness.isGone(launch.id)).toBe(true);
          await undo();
          await witness.launched(launch);
          await witness.reaches(launch.id, 'ready');
        },
      );

    about(
      'throttled',
      'calls are refused as throttled, and nothing is taken for gone',
      async (fault, { under, witness }) => {
        const kept = under.launch('fault-kept');
        await witness.launched(kept);
        await witness.reaches(kept.id, 'ready');
        const undo = await fault();
        const launch = under.launch('fault-throttled');
        await witness.refused(under.provider.launch(launch), ['throttled']);
        await under.pass();
        expect(witness.phases(kept.id).at(-1)).toBe('ready');
        await undo();
        await witness.launched(launch);
        await witness.reaches(launch.id, 'ready');
      },
    );

    about(
      'down',
      'calls are unavailable, listeners hear of it once, and a snapshot follows',
      async (fault, { under, witness }) => {
        const launch = under.launch('fault-down');
        await witness.launched(launch);
        await witness.reaches(launch.id, 'ready');
        const undo = await fault();
        await witness.refused(under.provider.launch(under.launch('fault-down-2')), ['unavailable']);
        await witness.refused(under.provider.terminate({ id: launch.id }), ['unavailable']);
        await witness.refused(under.provider.list(), ['unavailable']);
        await under.until(() => witness.events.at(-1)?.type === 'disconnected', 'the word that it is away');
        await under.pass();
        expect(witness.events.filter(({ type }) => type === 'disconnected').length).toBe(1);
        expect(witness.phases(launch.id).at(-1)).toBe('ready');
        await undo();
        await under.until(() => witness.events.at(-1)?.type === 'snapshot', 'the snapshot');
        expect(witness.events.at(-1)).toMatchObject({ nodes: [{ id: launch.id, phase: 'ready' }] });
      },
    );

    about(
      'lostAnswer',
      'a launch whose answer is lost buys one machine, however often it is asked again',
      async (fault, { under, witness }) => {
        const launch = under.launch('fault-lost');
        await fault();
        await witness.refused(under.provider.launch(launch), ['unavailable', 'throttled']);
        await witness.launched(launch);
        await witness.launched(launch);
        await witness.reaches(launch.id, 'ready');
        await under.pass();
        expect((await witness.done(under.provider.list(), 'the list')).length).toBe(1);
      },
    );

    about('neverJoins', 'it is never called ready, and can be ended', async (fault, { under, witness }) => {
      const launch = fault(under.launch('fault-never'));
      await witness.launched(launch);
      await under.until(() => witness.seen(launch.id).length > 0, 'a word on it');
      for (let round = 0; round < 3; round++) await under.pass();
      expect(witness.phases(launch.id)).not.toContain('ready');
      expect((await witness.listed(launch.id)).length).toBe(1);
      await witness.done(under.provider.terminate({ id: launch.id }), 'the end');
      await witness.reaches(launch.id, 'gone');
    });

    about('dies', 'it is told gone, with a failure', async (fault, { under, witness }) => {
      const launch = under.launch('fault-dies');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      await fault(launch.id);
      await witness.reaches(launch.id, 'gone');
      expect(witness.seen(launch.id).at(-1)).toMatchObject({
        failure: expect.any(String),
        message: expect.any(String),
      });
      expect(await witness.isGone(launch.id)).toBe(true);
    });

    about('hangs', 'it is there, not ready, and unreachable', async (fault, { under, witness }) => {
      const launch = under.launch('fault-hangs');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      await fault(launch.id);
      await witness.reaches(launch.id, 'running');
      expect(witness.seen(launch.id).at(-1)).toMatchObject({ failure: 'unreachable' });
      expect((await witness.listed(launch.id)).length).toBe(1);
      await witness.done(under.provider.terminate({ id: launch.id }), 'the end');
      await witness.reaches(launch.id, 'gone');
    });

    about(
      'interrupted',
      'the notice comes first, then the machine is gone as interrupted',
      async (fault, { under, witness }) => {
        const launch = under.launch('fault-spot');
        const spot = { ...launch, offering: { ...launch.offering, capacityType: 'spot' as const } };
        await witness.launched(spot);
        await witness.reaches(spot.id, 'ready');
        await fault(spot.id);
        await witness.reaches(spot.id, 'gone');
        const seen = witness.seen(spot.id);
        const noticed = seen.findIndex(({ notice }) => notice?.kind === 'interruption');
        expect(noticed).toBeGreaterThanOrEqual(0);
        expect(noticed).toBeLessThan(seen.findIndex(({ phase }) => phase === 'gone'));
        expect(seen.at(-1)?.failure).toBe('interrupted');
      },
    );

    for (const skewMs of [-3_600_000, 3_600_000])
      about(
        'skewed',
        `a clock that is off by ${skewMs / 60_000} min changes no phase`,
        async (fault, { under, witness }) => {
          const undo = await fault(skewMs);
          const launch = under.launch('fault-skew');
          await witness.launched(launch);
          await witness.reaches(launch.id, 'ready');
          const seen = witness.seen(launch.id).at(-1);
          expect(seen?.readyAtMs).toBeGreaterThanOrEqual(seen?.askedAtMs ?? Number.POSITIVE_INFINITY);
          await undo();
          await witness.done(under.provider.terminate({ id: launch.id }), 'the end');
          await witness.reaches(launch.id, 'gone');
        },
      );

    about(
      'foreign',
      'a machine that nobody launched is told without an id, and can be ended',
      async (fault, { under, witness }) => {
        await under.until(() => witness.events.length > 0, 'the first event');
        const providerId = await fault();
        await under.until(() => witness.seen(providerId).length > 0, 'a word on it');
        expect(witness.seen(providerId).at(-1)).toMatchObject({ id: null, providerId });
        await witness.done(under.provider.terminate({ providerId }), 'the end');
        await witness.reaches(providerId, 'gone');
      },
    );

    about('vanishes', 'a machine that the cloud knows no more is listed no more', async (fault, { under, witness }) => {
      const launch = under.launch('fault-vanishes');
      await witness.launched(launch);
      await witness.reaches(launch.id, 'ready');
      await fault(launch.id);
      await under.pass();
      expect(await witness.isGone(launch.id)).toBe(true);
      await witness.done(under.provider.terminate({ id: launch.id }), 'the end of what is not there');
    });
  });
}
