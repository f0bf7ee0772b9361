import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualSystem } from '@ebb/testing';
import { expect, it, onTestFinished } from 'vitest';
import { openOfferings } from '../offerings.ts';
import { apiSystem } from './apiSystem.fixture.ts';
import { offeringsSchema } from './machineSchemas.ts';

it('answers as its schema says, cheapest first', async () => {
  const { ask } = await apiSystem(new VirtualSystem());
  const url = '/api/v1/instances?cloud=aws&gpu=h100&minGpus=8&capacityType=on-demand';
  const { currency, items } = offeringsSchema.parse((await ask('GET', url)).json());
  expect(currency).toBe('USD');
  expect(items.map(({ instanceType }) => instanceType.name)).toEqual(['p5.48xlarge']);
  const few = offeringsSchema.parse((await ask('GET', '/api/v1/instances?limit=5&instance=g*')).json()).items;
  const prices = few.map(({ pricePerHourMicro }) => pricePerHourMicro);
  expect(prices).toEqual([...prices].sort((a, b) => a - b));
  expect(prices).toHaveLength(5);
});

it('an unknown filter is refused', async () => {
  const { ask } = await apiSystem(new VirtualSystem());
  expect((await ask('GET', '/api/v1/instances?colour=red')).json()).toMatchObject({ code: 'invalid-parameter' });
  expect((await ask('GET', '/api/v1/instances?capacityType=free')).json()).toMatchObject({ code: 'invalid-parameter' });
});

it('a file takes the place of the built-in list; a wrong one stops the start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'own.csv');
  writeFileSync(file, 'cloud,region,instance,vcpu,memory_gib,on_demand_usd_h\nown,hall,x,2,4,0.03\n');
  const { ask } = await apiSystem(new VirtualSystem(), { offerings: await openOfferings(file) });
  const { items } = offeringsSchema.parse((await ask('GET', '/api/v1/instances')).json());
  expect(items.map(({ id }) => id)).toEqual(['own/hall/*/x/on-demand']);
  writeFileSync(file, 'cloud,region,instance,vcpu,memory_gib,on_demand_usd_h\nown,hall,x,2,4,dear\n');
  await expect(openOfferings(file)).rejects.toMatchObject({
    exit: 'usage',
    message: expect.stringMatching(/own\.csv:2: on_demand_usd_h: "dear" is not an amount/),
  });
  await expect(openOfferings(join(folder, 'none.csv'))).rejects.toMatchObject({ exit: 'usage' });
});
