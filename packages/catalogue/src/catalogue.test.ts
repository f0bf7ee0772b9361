import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Offering } from '@ebb/core';
import { expect, onTestFinished, test } from 'vitest';
import { loadCatalogue } from './load.ts';
import { parsePriceFactor } from './priceFactor.ts';
import { catalogueNames, gpuCards, type OfferingQuery, queryOfferings } from './query.ts';

const gib = 1024 ** 3;
const all = await loadCatalogue();
const names = (query: OfferingQuery) => queryOfferings(all, query).map(({ instanceType: { name } }) => name);

test('the built-in list: small, of three clouds, every price and shape sensible', () => {
  expect(statSync(new URL('../data/list-prices.csv', import.meta.url)).size).toBeLessThan(300_000);
  expect(catalogueNames(all).clouds).toEqual(['aws', 'azure', 'gcp']);
  expect(all.length).toBeGreaterThan(4000);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  for (const { instanceType, pricePerHourMicro } of all) {
    expect(Number.isSafeInteger(pricePerHourMicro) && pricePerHourMicro > 0).toBe(true);
    expect(Number.isSafeInteger(instanceType.memoryBytes) && instanceType.cpuMilli >= 100).toBe(true);
    expect(gpuCards(instanceType.gpu)).toBeLessThanOrEqual(16);
  }
});

test('a price that is known elsewhere: g5.xlarge in us-east-1 costs 1.006 on demand, and less on spot in every zone', () => {
  const found = queryOfferings(all, { cloud: 'aws', region: 'us-east-1', instance: 'g5.xlarge' });
  expect(found.at(-1)).toMatchObject({ id: 'aws/us-east-1/*/g5.xlarge/on-demand', pricePerHourMicro: 1_006_000 });
  const spot = found.filter(({ capacityType }) => capacityType === 'spot');
  expect(spot.length).toBeGreaterThan(3);
  expect(spot.every(({ zone, pricePerHourMicro }) => zone.startsWith('use1-az') && pricePerHourMicro < 600_000)).toBe(
    true,
  );
});

test('answers what a slow filter answers, cheapest first', () => {
  const query: OfferingQuery = { gpu: 'a100', minGpus: 2, minGpuMemoryBytes: 80 * gib, capacityTypes: ['on-demand'] };
  const slow = (one: Offering) => {
    const { gpu } = one.instanceType;
    return (
      one.capacityType === 'on-demand' && gpu?.model === 'A100-80GB' && gpu.count >= 2 && gpu.memoryBytes >= 80 * gib
    );
  };
  const found = queryOfferings(all, query);
  expect(found.length).toBeGreaterThan(3);
  expect(new Set(found)).toEqual(new Set(all.filter(slow)));
  const prices = found.map(({ pricePerHourMicro }) => pricePerHourMicro);
  expect(prices).toEqual([...prices].sort((a, b) => a - b));
});

test('a whole model name is that model; a slice is a part of a card', () => {
  const models = (gpu: string) =>
    new Set(queryOfferings(all, { gpu }).map(({ instanceType }) => instanceType.gpu?.model));
  expect(models('a10')).toEqual(new Set(['A10']));
  expect(models('A100')).toEqual(new Set(['A100-40GB', 'A100-80GB']));
  expect(models('rtx_pro_6000')).toEqual(new Set(['RTX-PRO-6000']));
  const aws = { cloud: 'aws', gpu: 'L4', region: 'us-east-1' } as const;
  expect(names(aws)[0]).toBe('g6f.large');
  expect(names({ ...aws, minGpus: 0.25 })[0]).toBe('g6f.2xlarge');
  expect(names({ ...aws, minGpus: 1 })[0]).toBe('g6.xlarge');
});

test('other filters: processors, memory, architecture, vendor, zone', () => {
  const arm = queryOfferings(all, { architecture: 'arm64', minCpuMilli: 8000, minMemoryBytes: 32 * gib, cloud: 'gcp' });
  expect(arm.length).toBeGreaterThan(0);
  expect(
    arm.every(({ instanceType: t }) => t.architecture === 'arm64' && t.cpuMilli >= 8000 && t.memoryBytes >= 32 * gib),
  ).toBe(true);
  expect(new Set(queryOfferings(all, { gpuVendor: 'aws' }).map((one) => one.instanceType.gpu?.model))).toEqual(
    new Set(['Inferentia', 'Inferentia2', 'Trainium']),
  );
  const zone = queryOfferings(all, { region: 'us-east-1', zone: 'use1-az1', instance: 'g5.xlarge' });
  expect(zone.map((one) => one.zone).sort()).toEqual(['*', 'use1-az1']);
});

test('a file takes the place of the built-in list, with factors', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'own.csv');
  writeFileSync(file, 'cloud,region,instance,vcpu,memory_gib,on_demand_usd_h\nown,hall,x,2,4,0.03\n');
  const own = await loadCatalogue({ file, factors: [parsePriceFactor('own=50%')] });
  expect(own.map(({ id, pricePerHourMicro }) => [id, pricePerHourMicro])).toEqual([['own/hall/*/x/on-demand', 15_000]]);
  writeFileSync(file, 'cloud\n');
  await expect(loadCatalogue({ file, fileName: 'own.csv' })).rejects.toThrow('own.csv:1: has no column region');
});
