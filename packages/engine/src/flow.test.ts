import type { DispatchCounts, FlowObservation } from '@ebb/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DemandMeter } from './demand.ts';
import { type GatewayLink, newGatewayLink } from './gatewayLink.ts';

type ClassCounts = DispatchCounts['classes'][string];
const nothing: ClassCounts = { inFlight: 0, held: 0, demandIntegralUs: 0, arrivals: 0, peak: 0 };

function counts(own: Partial<ClassCounts>, total = own.arrivals ?? 0): DispatchCounts {
  return {
    workload: 'w',
    classes: { default: { ...nothing, ...own } },
    requests: { total, succeeded: total, failed: 0, refused: 0, cancelled: 0, held: 0 },
    oldestHeldUs: null,
    replicas: {},
    lastActiveUs: null,
  };
}

/** A message of a gateway: its own clock runs `shiftUs` ahead of the engine's. */
function tell(meter: DemandMeter, link: GatewayLink, atMs: number, own: DispatchCounts | null, shiftUs = 0): void {
  link.connected = true;
  link.countsAtMs = atMs;
  link.countsAtUs = atMs * 1000 + shiftUs;
  if (own) meter.receive(link, link.countsAtUs, own);
}

const coldStarts = new Map([['default', 8000]]);
const flowAt = (meter: DemandMeter, nowMs: number) => meter.flow(coldStarts, nowMs)?.default;

function begun(): { meter: DemandMeter; link: GatewayLink } {
  const [meter, link] = [new DemandMeter(), newGatewayLink('g')];
  tell(meter, link, 1000, counts({ arrivals: 10, late: 2, answered: { requests: 9, responseUs: 900, waitUs: 90 } }));
  flowAt(meter, 1000);
  return { meter, link };
}

it('is what was counted since it was last asked, in whole milliseconds, and what is there now', () => {
  const { meter, link } = begun();
  tell(meter, link, 2500, counts({ arrivals: 11, inFlight: 7, peak: 9 }));
  const answered = { requests: 13, responseUs: 2_400_900, waitUs: 300_090 };
  const now = { inFlight: 3, held: 2, inFlightWaitUs: 1_250_000, oldestHeldUs: 3_700_000 };
  tell(meter, link, 4000, counts({ arrivals: 15, late: 4, answered, peak: 6, ...now }));
  expect(flowAt(meter, 4020)).toEqual({
    spanMs: 3000,
    arrivals: 5,
    answered: 4,
    serviceMs: 2100,
    waitMs: 300,
    late: 2,
    peak: 9,
    inFlightWaitMs: 1250,
    oldestHeldMs: 320,
    coldStartMs: 8000,
  });
  expect(flowAt(meter, 4100)).toMatchObject({ spanMs: 0, arrivals: 0, answered: 0, serviceMs: 0, late: 0, peak: 5 });
});

it('counts nothing of what was before it was first asked', () => {
  const [meter, link] = [new DemandMeter(), newGatewayLink('g')];
  tell(meter, link, 1000, counts({ arrivals: 10, late: 2, inFlight: 4, peak: 20 }));
  expect(flowAt(meter, 1000)).toMatchObject({ spanMs: 0, arrivals: 0, late: 0, peak: 4 });
});

it('goes on where a message does not name the workload, and over a quiet time that a wake ends', () => {
  const { meter, link } = begun();
  tell(meter, link, 60_000, null);
  meter.wake(link, 'default', 2, 60_700_000);
  const atOnce = flowAt(meter, 60_710);
  expect(atOnce).toMatchObject({ spanMs: 59_000, arrivals: 0, peak: 2, oldestHeldMs: 10 });
  tell(meter, link, 61_000, counts({ arrivals: 12, held: 2, oldestHeldUs: 60_700_000, peak: 2 }));
  expect(flowAt(meter, 61_000)).toMatchObject({ spanMs: 1000, arrivals: 2, peak: 2, oldestHeldMs: 300 });
});

it('is missing while a gateway is silent, and whole afterwards', () => {
  const { meter, link } = begun();
  expect(flowAt(meter, 4001)).toBeUndefined();
  tell(meter, link, 9000, counts({ arrivals: 30 }));
  expect(flowAt(meter, 9000)).toMatchObject({ spanMs: 8000, arrivals: 20 });
});

it('is nothing, not missing, before a gateway has named the workload', () => {
  expect(flowAt(new DemandMeter(), 1000)).toMatchObject({ spanMs: 0, arrivals: 0, peak: 0, coldStartMs: 8000 });
});

it('adds up gateways, each on its own clock', () => {
  const [a, b, meter] = [newGatewayLink('a'), newGatewayLink('b'), new DemandMeter()];
  tell(meter, a, 1000, counts({}), 5_000_000);
  tell(meter, b, 1000, counts({}), -900_000);
  flowAt(meter, 1000);
  tell(meter, a, 2000, counts({ arrivals: 3, held: 1, peak: 2, oldestHeldUs: 6_900_000 }), 5_000_000);
  tell(meter, b, 2000, counts({ arrivals: 4, late: 1, held: 2, peak: 3, oldestHeldUs: 700_000 }), -900_000);
  expect(flowAt(meter, 2000)).toMatchObject({ spanMs: 1000, arrivals: 7, late: 1, peak: 5, oldestHeldMs: 400 });
});

it('takes no difference across a gateway that began anew', () => {
  const { meter, link } = begun();
  tell(meter, link, 2000, counts({ arrivals: 3, late: 1 }));
  expect(flowAt(meter, 2000)).toMatchObject({ spanMs: 0, arrivals: 0, late: 0 });
  tell(meter, link, 3000, counts({ arrivals: 5, late: 2 }));
  expect(flowAt(meter, 3000)).toMatchObject({ spanMs: 1000, arrivals: 2, late: 1 });
});

it('lets an older gateway speak, which knows the oldest of all classes alone and nobody who was late', () => {
  const { meter, link } = begun();
  tell(meter, link, 2000, { ...counts({ arrivals: 10, held: 1 }), oldestHeldUs: 1_400_000 });
  expect(flowAt(meter, 2000)).toMatchObject({ late: 0, inFlightWaitMs: 0, oldestHeldMs: 600 });
});

it('leaves out what was counted while nobody asked for it', () => {
  const { meter, link } = begun();
  meter.dropFlow();
  tell(meter, link, 60_000, counts({ arrivals: 500, peak: 50 }));
  expect(flowAt(meter, 60_000)).toMatchObject({ spanMs: 0, arrivals: 0, peak: 0 });
  tell(meter, link, 61_000, counts({ arrivals: 501 }));
  expect(flowAt(meter, 61_000)).toMatchObject({ spanMs: 1000, arrivals: 1 });
});

it('adds up to what was counted, however often it is asked', () => {
  const step = fc.record({
    afterUs: fc.integer({ min: 0, max: 1_700_000 }),
    arrivals: fc.nat(5),
    answered: fc.nat(3),
    serviceUs: fc.nat(900_000),
    waitUs: fc.nat(40_000),
    asks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [meter, link] = [new DemandMeter(), newGatewayLink('g')];
      let atUs = 0;
      const all = { arrivals: 0, late: 0, answered: { requests: 0, responseUs: 0, waitUs: 0 } };
      const sum = { spanMs: 0, arrivals: 0, answered: 0, serviceMs: 0, waitMs: 0, late: 0 };
      const look = (flow: FlowObservation | undefined) => {
        for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += flow?.[name] ?? 0;
      };
      const say = () => {
        link.connected = true;
        link.countsAtMs = Math.floor(atUs / 1000);
        link.countsAtUs = atUs;
        meter.receive(link, atUs, counts({ ...all, answered: { ...all.answered } }));
      };
      say();
      look(flowAt(meter, 0));
      for (const one of steps) {
        atUs += one.afterUs;
        all.arrivals += one.arrivals;
        all.late += one.arrivals;
        all.answered.requests += one.answered;
        all.answered.waitUs += one.waitUs;
        all.answered.responseUs += one.waitUs + one.serviceUs;
        say();
        if (one.asks) look(flowAt(meter, Math.floor(atUs / 1000)));
      }
      atUs += 1000;
      say();
      look(flowAt(meter, Math.floor(atUs / 1000)));
      expect(sum).toEqual({
        spanMs: Math.floor(atUs / 1000),
        arrivals: all.arrivals,
        late: all.late,
        answered: all.answered.requests,
        serviceMs: Math.floor((all.answered.responseUs - all.answered.waitUs) / 1000),
        waitMs: Math.floor(all.answered.waitUs / 1000),
      });
    }),
  );
});

it('keeps the share on time over restarts of gateway and control plane', () => {
  const { meter, link } = begun();
  tell(meter, link, 2000, counts({ arrivals: 14, late: 3 }));
  expect(meter.onTime(2000)).toEqual({ requests: 14, late: 3, lastHour: { requests: 14, late: 3 } });
  const next = new DemandMeter(meter.toSaved());
  tell(next, { ...link }, 3000, counts({ arrivals: 20, late: 3 }));
  expect(next.onTime(3000)).toEqual({ requests: 20, late: 3, lastHour: { requests: 6, late: 0 } });
  const other = new DemandMeter(meter.toSaved());
  tell(other, { ...link, pid: 8 }, 3000, counts({ arrivals: 5, late: 1 }));
  expect(other.onTime(3000)).toMatchObject({ requests: 19, late: 4 });
  tell(meter, link, 4000, counts({ arrivals: 1, late: 1 }));
  expect(meter.onTime(4000)).toMatchObject({ requests: 15, late: 4 });
});
