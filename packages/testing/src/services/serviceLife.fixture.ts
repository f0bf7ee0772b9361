import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { available, isListening, type Service, type ServiceName, until } from './index.ts';
import { isPaused } from './processGroup.ts';

interface ServiceUnderTest<Kind extends Service> {
  readonly service: ServiceName;
  readonly start: () => Promise<Kind>;
  /** Leaves something behind that must outlive a restart. */
  readonly write: (service: Kind) => Promise<unknown>;
  /** What `write` left, in any form that is equal before and after. */
  readonly read: (service: Kind) => Promise<unknown>;
  /** False for a service that may lose what it has not yet written. */
  readonly survivesKill?: boolean;
}

/** What every service promises: it answers, keeps its data and its ports, shares nothing, and is gone after its end. */
export function describeServiceLife<Kind extends Service>(under: ServiceUnderTest<Kind>): void {
  const { service, start, write, read, survivesKill = true } = under;

  describe.runIf(available(service))(`${service}, from start to stop`, () => {
    let running: Kind;
    let written: unknown;

    beforeAll(async () => {
      running = await start();
      await write(running);
      written = await read(running);
    });
    afterAll(() => running?.stop());

    it('listens on loopback only', async () => {
      expect(running.host).toBe('127.0.0.1');
      expect(await isListening(running.port)).toBe(true);
    });

    it('keeps port and data over a restart', async () => {
      const before = { pid: running.pid, port: running.port };
      await running.restart();
      expect(running.port).toBe(before.port);
      expect(running.pid).not.toBe(before.pid);
      expect(await read(running)).toEqual(written);
    });

    it.runIf(survivesKill)('keeps its data when it is killed', async () => {
      await running.kill();
      expect(await isListening(running.port)).toBe(false);
      expect(() => running.pid).toThrow('not running');
      await running.restart();
      expect(await read(running)).toEqual(written);
    });

    it('does not answer while it is paused', async () => {
      running.pause();
      await until(() => isPaused(running.pid), { withinMs: 20_000, what: () => 'the pause' });
      let answered = false;
      const answer = read(running).then((value) => {
        answered = true;
        return value;
      });
      // The kernel accepts for it.
      expect(await isListening(running.port)).toBe(true);
      expect(answered).toBe(false);
      running.resume();
      expect(await answer).toEqual(written);
    });

    it('runs beside another one', async () => {
      const other = await start();
      try {
        expect(other.port).not.toBe(running.port);
        expect(other.pid).not.toBe(running.pid);
        await write(other);
        await other.stop();
        expect(await read(running)).toEqual(written);
      } finally {
        await other.stop();
      }
    });

    it('leaves no process, port or file behind', async () => {
      const { pid, port, folder } = running;
      running.pause();
      await running.stop();
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(await isListening(port)).toBe(false);
      expect(existsSync(folder)).toBe(false);
      await running.stop();
    });
  });
}
