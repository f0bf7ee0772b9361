import { expect, test } from 'vitest';
import { spotSentence } from './reasons.ts';
import { runSpot, specOf, zonesUp } from './spot.fixture.ts';
import { spotStep } from './spotStep.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

test('calm zones: spot in several, so that no zone takes what is wanted with it, and nothing on demand after a while', () => {
  const { total, at } = runSpot(specOf(), zonesUp({ a: [], b: [], c: [] }), { wanted: 6, hours: 24 });
  const settled = at(20 * hourMs);
  expect(settled.onDemand).toBe(0);
  expect(settled.ready).toBeGreaterThanOrEqual(6);
  expect(settled.largest).toBeLessThanOrEqual(settled.ready / 2);
  expect(total.shortMs).toBe(0);
  // Spot costs 0.3; the first hours are bridged on demand.
  expect(total.cost).toBeLessThan(0.65);
});

test('a zone that goes leaves all that is wanted, and others take its place', () => {
  const { total, at } = runSpot(specOf(), zonesUp({ a: [[12, 14]], b: [], c: [] }), { wanted: 6, hours: 24 });
  expect(total.lost).toBeGreaterThan(0);
  expect(total.shortMs).toBe(0);
  expect(at(13 * hourMs).byZone['a']).toBeUndefined();
});

test('no spot anywhere: all on demand; and given back when spot has been there for a while', () => {
  const zones = zonesUp({ a: [[10, 16]], b: [[10, 16]], c: [[10, 16]] });
  const { at } = runSpot(specOf(), zones, { wanted: 6, hours: 30 });
  expect(at(12 * hourMs)).toMatchObject({ onDemand: 6, spot: 0, ready: 6 });
  expect(at(16.2 * hourMs).onDemand).toBeGreaterThan(0);
  expect(at(28 * hourMs)).toMatchObject({ onDemand: 0 });
});

test('without fallback nothing is on demand but the floor', () => {
  const zones = zonesUp({ a: [[10, 16]], b: [[10, 16]], c: [[10, 16]] });
  const spec = specOf({ fallback: false, onDemandFloor: { share: 0.3 } });
  const { at } = runSpot(spec, zones, { wanted: 6, hours: 30 });
  expect(at(12 * hourMs)).toMatchObject({ onDemand: 2, spot: 0 });
  expect(at(28 * hourMs).onDemand).toBe(2);
});

test('spot that dies within minutes is left alone for longer each time', () => {
  const storm = Array.from({ length: 60 }, (_, index): [number, number] => [1 + index / 6, 1 + index / 6 + 0.05]);
  const { told, total } = runSpot(specOf({ startMs: minuteMs }), zonesUp({ a: storm }), { wanted: 4, hours: 11 });
  const pauses = told.flatMap((reason) => (reason.code === 'spot-storm' ? [reason.pauseMs] : []));
  expect(pauses.slice(0, 3)).toEqual([5, 10, 20].map((minutes) => minutes * minuteMs));
  expect(Math.max(...pauses)).toBe(hourMs);
  // It breaks 60 times.
  expect(pauses.length).toBeLessThan(20);
  expect(total.shortMs).toBeLessThan(0.02 * 11 * hourMs);
});

test('extra machines as told, when they are told', () => {
  const { at } = runSpot(specOf({ overProvision: 3 }), zonesUp({ a: [], b: [] }), { wanted: 5, hours: 24 });
  expect(at(23 * hourMs)).toMatchObject({ spot: 8, onDemand: 0 });
});

test('of a hundred markets the cheapest are used, and what is remembered stays small', () => {
  const markets = Array.from({ length: 100 }, (_, index) => ({
    id: `aws/us-east-1/us-east-1${index}/g5.${index}xlarge/spot`,
    ...{ zone: `${index}`, pricePerHourMicro: 400_000 - 1000 * index },
  }));
  const spec = { ...specOf(), markets };
  const events = markets.map(({ id }) => ({ type: 'lost' as const, market: id, atMs: 1_764_000_000_123 }));
  const spot = markets.map(({ id }) => ({ market: id, ready: 1, starting: 1 }));
  const observed = { nowMs: 1_764_000_000_123, wanted: 40, spot, onDemand: { ready: 0, starting: 0 }, events };
  const first = spotStep(spec, null, observed);
  const second = spotStep(spec, first.memory, { ...observed, nowMs: observed.nowMs + 86_400_000 });
  expect(JSON.stringify(second.memory).length).toBeLessThan(16_384);
  expect(second.memory.markets).toHaveLength(64);
  expect(second.memory.markets.some(({ id }) => id === markets[0]?.id)).toBe(false);
});

test('says why, with numbers', () => {
  const zones = zonesUp({ a: [[10, 12]], b: [[10, 12]], c: [[11, 13]] });
  const { told } = runSpot(specOf({ onDemandFloor: { count: 1 } }), zones, { wanted: 6, hours: 16 });
  const sentences = told.map(spotSentence).join('\n');
  expect(sentences).toContain('1 of 6 are always on demand.');
  expect(sentences).toMatch(/\d+ on spot in \d markets, at most \d in one\./);
  expect(sentences).toMatch(/\d more than wanted: without them fewer than wanted would be ready [\d.]+ % of the time/);
  expect(sentences).toMatch(/\d more on demand: 0 of 3 markets can be asked for spot/);
  expect(sentences).toMatch(/stay until spot is ready and has held for a while: \d of 6 are ready on spot\./);
  expect(sentences).toMatch(/had none, \d times? in a row: it is not asked for [\d.]+ min\./);
  expect(sentences).not.toMatch(/NaN|undefined|Infinity/);
});
