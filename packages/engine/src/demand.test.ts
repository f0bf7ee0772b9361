import type { DispatchCounts } from '@ebb/core';
import { expect, it } from 'vitest';
import { DemandMeter } from './demand.ts';
import { type GatewayLink, newGatewayLink } from './gatewayLink.ts';

const concurrency = [{ name: 'concurrency', type: 'concurrency' as const, target: 1 }];
const rate = [{ name: 'rate', type: 'requestRate' as const, target: 1 }];

function counts(
  more: Partial<DispatchCounts['classes'][string]> & { total?: number; lastActiveUs?: number | null } = {},
): DispatchCounts {
  const { total = 0, lastActiveUs = null, ...own } = more;
  return {
    workload: 'w',
    classes: { default: { inFlight: 0, held: 0, demandIntegralUs: 0, arrivals: 0, peak: 0, ...own } },
    requests: { total, succeeded: total, failed: 0, refused: 0, cancelled: 0, held: 0 },
    oldestHeldUs: null,
    replicas: {},
    lastActiveUs,
  };
}

/** A message of a gateway: its own clock runs `shiftUs` ahead of the engine's. */
function message(
  link: GatewayLink,
  meter: DemandMeter,
  atMs: number,
  own: DispatchCounts | null,
  shiftUs = 0,
): boolean {
  link.connected = true;
  link.countsAtMs = atMs;
  link.countsAtUs = atMs * 1000 + shiftUs;
  return own ? meter.receive(link, link.countsAtUs, own) : false;
}

it('gives the exact mean between two messages, once', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts({ demandIntegralUs: 5_000_000, arrivals: 10 }), 77);
  expect(meter.readings(concurrency, ['default'], 1000)).toMatchObject([{ value: 0, spanMs: 0, state: 'ok' }]);
  message(link, meter, 3000, counts({ demandIntegralUs: 8_000_000, arrivals: 30, peak: 4, inFlight: 1 }), 77);
  expect(meter.readings(concurrency, ['default'], 3100)).toEqual([
    { trigger: 'concurrency', class: 'default', value: 1.5, peak: 4, spanMs: 2000, atMs: 3000, state: 'ok' },
  ]);
  expect(meter.readings(concurrency, ['default'], 3200)).toEqual([]);
});

it('gives the rate of arrivals', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts({ arrivals: 10 }));
  meter.readings(rate, ['default'], 1000);
  message(link, meter, 5000, counts({ arrivals: 30 }));
  expect(meter.readings(rate, ['default'], 5000)).toMatchObject([{ value: 5, spanMs: 4000 }]);
});

it('takes a workload that a message does not name as it was', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts({ inFlight: 2, demandIntegralUs: 0 }));
  meter.readings(concurrency, ['default'], 1000);
  message(link, meter, 2000, null);
  expect(meter.readings(concurrency, ['default'], 2000)).toMatchObject([{ value: 2, spanMs: 1000 }]);
});

it('adds up gateways, each on its own clock', () => {
  const [a, b, meter] = [newGatewayLink('a'), newGatewayLink('b'), new DemandMeter()];
  message(a, meter, 1000, counts(), 5_000_000);
  message(b, meter, 1000, counts(), -900_000);
  meter.readings(concurrency, ['default'], 1000);
  message(a, meter, 2000, counts({ demandIntegralUs: 1_000_000, total: 3, inFlight: 1 }), 5_000_000);
  message(b, meter, 2000, counts({ demandIntegralUs: 500_000, total: 4, held: 2 }), -900_000);
  expect(meter.readings(concurrency, ['default'], 2000)).toMatchObject([{ value: 1.5 }]);
  expect(meter.requests().total).toBe(7);
  expect(meter.of('default')).toEqual({ inFlight: 1, held: 2 });
});

it('begins anew when a gateway counts backwards, and forgets nothing that was counted', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts({ demandIntegralUs: 9_000_000, arrivals: 50, total: 50 }));
  meter.readings(concurrency, ['default'], 1000);
  message(link, meter, 2000, counts({ demandIntegralUs: 100_000, arrivals: 2, total: 2 }));
  const [reading] = meter.readings(concurrency, ['default'], 2000);
  expect(reading).toMatchObject({ value: 0, spanMs: 0 });
  expect(meter.requests().total).toBe(52);
});

it('is missing, not zero, while a gateway is silent, and has the whole mean afterwards', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts({ inFlight: 1 }));
  meter.readings(concurrency, ['default'], 1000);
  expect(meter.readings(concurrency, ['default'], 4001)).toMatchObject([{ state: 'missing', value: null }]);
  message(link, meter, 11_000, counts({ demandIntegralUs: 10_000_000, peak: 1 }));
  expect(meter.readings(concurrency, ['default'], 11_000)).toMatchObject([{ state: 'ok', value: 1, spanMs: 10_000 }]);
});

it('lets the mean begin with the request that woke it', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts());
  meter.readings(concurrency, ['default'], 1000);
  meter.wake(link, 'default', 3, 1_900_000);
  expect(meter.of('default').held).toBe(3);
  expect(meter.lastActiveAtMs(1900)).toBe(1900);
  message(link, meter, 2000, counts({ held: 3, demandIntegralUs: 300_000 }));
  expect(meter.readings(concurrency, ['default'], 2000)).toMatchObject([{ value: 3, spanMs: 100, peak: 3 }]);
});

it('never takes one request for a little more than one, though its wake was stamped after it came', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 1000, counts());
  meter.readings(concurrency, ['default'], 1000);
  meter.wake(link, 'default', 1, 2_000_700);
  message(link, meter, 2434, counts({ held: 1, demandIntegralUs: 434_000, arrivals: 1, peak: 1 }));
  expect(meter.readings(concurrency, ['default'], 2434)).toMatchObject([{ value: 1, peak: 1, spanMs: 433 }]);
});

it('knows to the millisecond when the last request ended', () => {
  const [link, meter] = [newGatewayLink('g'), new DemandMeter()];
  message(link, meter, 5000, counts({ lastActiveUs: 4_300_000 }));
  expect(meter.lastActiveAtMs(9000)).toBe(4300);
});

it('keeps its sums over a restart of the control plane, of the gateway, and of both', () => {
  const link = { ...newGatewayLink('g'), pid: 7 };
  const meter = new DemandMeter();
  message(link, meter, 1000, counts({ total: 10 }));
  const saved = meter.toSaved();
  const same = new DemandMeter(saved);
  expect(same.requests().total).toBe(10);
  message(link, same, 2000, counts({ total: 12 }));
  expect(same.requests().total).toBe(12);
  const other = new DemandMeter(saved);
  message({ ...link, pid: 8 }, other, 2000, counts({ total: 12 }));
  expect(other.requests().total).toBe(22);
});

it('keeps what a gateway that is gone had counted, and no longer misses what it would say', () => {
  const [a, b, meter] = [newGatewayLink('a'), newGatewayLink('b'), new DemandMeter()];
  message(a, meter, 1000, counts({ inFlight: 2, total: 5 }));
  message(b, meter, 1000, counts({ total: 3 }));
  a.connected = false;
  expect(meter.readings(concurrency, ['default'], 1100)).toMatchObject([{ state: 'missing' }]);
  meter.gone('a');
  expect(meter.of('default').inFlight).toBe(0);
  expect(meter.requests().total).toBe(8);
  message(b, meter, 2000, counts({ total: 3 }));
  expect(meter.readings(concurrency, ['default'], 2000)).toMatchObject([{ state: 'ok', value: 0 }]);
  const next = new DemandMeter(meter.toSaved());
  next.gone('b');
  expect(next.requests().total).toBe(8);
  expect(Object.keys(next.toSaved().gateways)).toEqual([]);
});

it('sums the time of requests over gateways and their restarts, from when it heard of each', () => {
  const [a, b, meter] = [newGatewayLink('a'), newGatewayLink('b'), new DemandMeter()];
  message(a, meter, 1000, counts({ demandIntegralUs: 9_000_000, total: 10 }));
  expect(meter.busyUs()).toBe(0);
  message(a, meter, 2000, counts({ demandIntegralUs: 9_250_000, total: 14 }));
  message(b, meter, 2000, counts());
  message(b, meter, 3000, counts({ demandIntegralUs: 40_000, total: 1 }));
  expect(meter.busyUs()).toBe(290_000);
  // A process that begins again counts from nothing.
  message(a, meter, 4000, counts({ demandIntegralUs: 0, total: 0 }));
  expect(meter.busyUs()).toBe(290_000);
  meter.restarted('b');
  expect(meter.busyUs()).toBe(290_000);
  message(a, meter, 5000, counts({ demandIntegralUs: 10_000, total: 2 }));
  expect(meter.busyUs()).toBe(300_000);
});
