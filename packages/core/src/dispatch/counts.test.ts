import { describe, expect, it } from 'vitest';
import { chat, Desk } from './dispatch.fixture.ts';

describe('counts', () => {
  it('begin with nothing', () => {
    expect(new Desk().counts()).toEqual({
      workload: chat,
      classes: { default: { inFlight: 0, held: 0, demandIntegralUs: 0, arrivals: 0, peak: 0 } },
      requests: { total: 0, succeeded: 0, failed: 0, refused: 0, cancelled: 0, held: 0 },
      oldestHeldUs: null,
      replicas: {},
      lastActiveUs: null,
    });
  });

  it('integrate what is held and in flight exactly', () => {
    const desk = new Desk();
    desk.nowUs = 100;
    desk.arrive(1);
    desk.nowUs = 130;
    desk.arrive(2);
    desk.nowUs = 150;
    desk.endpoints('a');
    desk.nowUs = 180;
    desk.complete(1);
    expect(desk.counts().classes.default).toMatchObject({ inFlight: 1, held: 0, demandIntegralUs: 30 + 2 * 50 });
    desk.nowUs = 200;
    expect(desk.counts().classes.default).toMatchObject({ demandIntegralUs: 150, arrivals: 2, peak: 2 });
    desk.complete(2);
    desk.nowUs = 1_000;
    expect(desk.counts().classes.default).toMatchObject({ demandIntegralUs: 150 });
  });

  it('count each request by its outcome, and those that ever waited', () => {
    const desk = new Desk({ buffer: { maxRequests: 2 } });
    desk.endpoints('a');
    for (const id of [1, 2, 3, 4]) desk.arrive(id);
    desk.complete(1, 'succeeded');
    desk.complete(2, 'failed');
    desk.retry(3);
    desk.endpoints('a');
    desk.cancel(3);
    desk.arrive(5);
    expect(desk.counts().requests).toEqual({
      total: 5,
      succeeded: 1,
      failed: 1,
      refused: 1,
      cancelled: 1,
      held: 2,
    });
  });

  it('put a held request into the cheapest class that accepts it until it is assigned', () => {
    const cpu = { name: 'cpu', accepts: { maxBodyBytes: null, maxTokens: 10, models: [], headers: {} } };
    const desk = new Desk({ classes: [cpu, { name: 'gpu', accepts: null }] });
    desk.arrive(1);
    desk.arrive(2, { maxTokens: 20 });
    expect(desk.counts().classes).toMatchObject({
      cpu: { held: 1, arrivals: 1, oldestHeldUs: 0 },
      gpu: { held: 1, arrivals: 1, oldestHeldUs: 0 },
    });
    desk.nowUs = 10;
    desk.endpoints('g:2/gpu');
    desk.nowUs = 30;
    expect(desk.counts().classes).toEqual({
      cpu: { held: 0, inFlight: 0, arrivals: 1, demandIntegralUs: 10, peak: 1 },
      gpu: { held: 0, inFlight: 2, arrivals: 1, demandIntegralUs: 10 + 2 * 20, peak: 2, inFlightWaitUs: 2 * 10 },
    });
  });

  it('keep the peak until it was taken', () => {
    const desk = new Desk();
    desk.endpoints('a:0');
    for (const id of [1, 2, 3]) desk.arrive(id);
    desk.complete(1);
    desk.complete(2);
    expect(desk.counts().classes.default?.peak).toBe(3);
    desk.dispatcher.takePeaks(chat);
    expect(desk.counts().classes.default?.peak).toBe(1);
    desk.complete(3);
    expect(desk.counts().classes.default?.peak).toBe(1);
    desk.dispatcher.takePeaks(chat);
    expect(desk.counts().classes.default?.peak).toBe(0);
  });

  it('tell the arrival of the oldest held request, retried or not', () => {
    const desk = new Desk();
    desk.endpoints('a:2');
    desk.nowUs = 10;
    desk.arrive(1);
    desk.nowUs = 20;
    desk.arrive(2);
    desk.nowUs = 30;
    desk.arrive(3);
    expect(desk.counts().oldestHeldUs).toBe(30);
    desk.endpoints('a:2!');
    desk.retry(1);
    desk.retry(2);
    expect(desk.counts().oldestHeldUs).toBe(10);
    desk.cancel(1);
    expect(desk.counts().oldestHeldUs).toBe(20);
  });

  describe('of those that are late', () => {
    const late = (desk: Desk) => desk.counts().classes.default?.late ?? 0;

    it('have what a replica took after the limit, not at it, and each once', () => {
      const desk = new Desk({ onTimeUs: 100 });
      for (const id of [1, 2]) desk.arrive(id);
      desk.nowUs = 100;
      desk.endpoints('a');
      expect(late(desk)).toBe(0);
      desk.nowUs = 101;
      desk.endpoints('a', 'b');
      expect(late(desk)).toBe(1);
      desk.nowUs = 500;
      desk.retry(2);
      desk.complete(2);
      expect(late(desk)).toBe(1);
    });

    it('are those after five seconds where nothing is configured', () => {
      const desk = new Desk();
      for (const id of [1, 2]) desk.arrive(id);
      desk.nowUs = 5_000_000;
      desk.endpoints('a');
      desk.nowUs++;
      desk.complete(1);
      expect(late(desk)).toBe(1);
    });

    it('have what left or was refused after it, and every hold that ran out', () => {
      const desk = new Desk({ onTimeUs: 100, holdMs: 1 });
      for (const id of [1, 2, 3]) desk.arrive(id);
      desk.nowUs = 100;
      desk.cancel(1);
      expect(late(desk)).toBe(0);
      desk.nowUs = 101;
      desk.cancel(2);
      expect(late(desk)).toBe(1);
      desk.configure({ onTimeUs: 100, unavailable: { code: 'quota', message: 'no room', retryAfterMs: 1 } });
      expect(late(desk)).toBe(2);
      desk.configure({ onTimeUs: 10_000, holdMs: 1 });
      desk.arrive(4);
      desk.arrive(5, { deadlineUs: 200 });
      desk.nowUs = 2_000;
      expect(desk.tick()).toEqual(['5 refused: deadline-passed', '4 refused: hold-timeout']);
      expect(late(desk)).toBe(4);
    });

    it('leave deferrable requests out until they are turned', () => {
      const deferrable = { maxDelayMs: 60_000, reserve: 0, maxRequests: 10 };
      const desk = new Desk({ onTimeUs: 100, deferrable });
      desk.arrive(1, { deferUntilUs: 30_000_000 });
      desk.arrive(2, { deferUntilUs: 30_000_000 });
      desk.nowUs = 20_000_000;
      desk.endpoints('a');
      expect(late(desk)).toBe(0);
      expect(desk.counts().classes.default?.inFlightWaitUs).toBeUndefined();
      desk.nowUs = 29_000_000;
      desk.tick();
      desk.nowUs += 101;
      desk.complete(1);
      expect(late(desk)).toBe(1);
      expect(desk.counts().classes.default?.inFlightWaitUs).toBe(101);
    });
  });

  it('sum the waits of what is in flight now', () => {
    const desk = new Desk();
    const waitUs = () => desk.counts().classes.default?.inFlightWaitUs;
    for (const id of [1, 2]) desk.arrive(id);
    desk.nowUs = 10;
    desk.endpoints('a:2');
    desk.arrive(3);
    expect(waitUs()).toBe(20);
    desk.nowUs = 30;
    desk.complete(1);
    expect(waitUs()).toBe(10 + 20);
    desk.endpoints('b');
    desk.retry(2);
    expect(waitUs()).toBe(20 + 30);
    desk.cancel(2);
    desk.complete(3);
    expect(waitUs()).toBeUndefined();
  });

  it('tell when there was last anything to do', () => {
    const desk = new Desk({ buffer: { maxRequests: 1 } });
    desk.nowUs = 10;
    desk.arrive(1);
    desk.nowUs = 20;
    expect(desk.counts().lastActiveUs).toBe(20);
    desk.endpoints('a');
    desk.nowUs = 30;
    desk.complete(1);
    desk.nowUs = 40;
    expect(desk.counts().lastActiveUs).toBe(30);
    desk.endpoints();
    desk.arrive(2);
    desk.nowUs = 50;
    desk.cancel(2);
    desk.nowUs = 60;
    expect(desk.counts().lastActiveUs).toBe(50);
  });
});
