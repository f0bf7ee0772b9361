import { expect, test } from 'vitest';
import { parseCatalogue } from './parseCatalogue.ts';

const head = 'cloud,region,instance,vcpu,memory_gib,gpu_model,gpu_count,gpu_mem_gib,on_demand_usd_h,spot_usd_h';
const csv = (...lines: string[]) => [head, ...lines].join('\n');

test('a row is an offering for each of its prices, in core units', () => {
  const offerings = parseCatalogue(
    csv('own,hall-1,"big ""one""",3.5,15.5,rtx pro 6000,2,96,1.000001,0.25', ''),
    'p.csv',
  );
  const instanceType = {
    name: 'big "one"',
    cloud: 'own',
    architecture: 'amd64',
    cpuMilli: 3500,
    memoryBytes: 16_642_998_272,
    gpu: { vendor: 'nvidia', model: 'RTX-PRO-6000', count: 2, memoryBytes: 103_079_215_104 },
    maxPods: 110,
    labels: {
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/os': 'linux',
      'node.kubernetes.io/instance-type': 'big "one"',
      'ebb.dev/gpu-vendor': 'nvidia',
      'ebb.dev/gpu-model': 'RTX-PRO-6000',
    },
  };
  const place = { instanceType, region: 'hall-1', zone: '*' };
  expect(offerings).toEqual([
    { id: 'own/hall-1/*/big "one"/on-demand', ...place, capacityType: 'on-demand', pricePerHourMicro: 1_000_001 },
    { id: 'own/hall-1/*/big "one"/spot', ...place, capacityType: 'spot', pricePerHourMicro: 250_000 },
  ]);
});

test('a count below one is a slice: one device with its part of a card', () => {
  const [offering] = parseCatalogue(csv('aws,r,g6f.xlarge,4,16,L4,0.125,3,0.2375,'), 'p.csv');
  expect(offering?.instanceType.gpu).toMatchObject({
    model: 'L4',
    count: 1,
    sliceMilli: 125,
    memoryBytes: 3_221_225_472,
  });
});

test('JSON has the same names, as an array or under "offerings"', () => {
  const one = { cloud: 'own', region: 'r', zone: 'r-a', instance: 'x', vcpu: 2, memory_gib: '4', reserved_usd_h: 0.05 };
  const expected = parseCatalogue(
    'cloud,region,zone,instance,vcpu,memory_gib,reserved_usd_h\nown,r,r-a,x,2,4,0.05\n',
    'p.csv',
  );
  expect(expected[0]).toMatchObject({ id: 'own/r/r-a/x/reserved', pricePerHourMicro: 50_000 });
  expect(parseCatalogue(JSON.stringify([one]), 'p.json')).toEqual(expected);
  expect(parseCatalogue(JSON.stringify({ note: '[{', offerings: [{ ...one, spot_usd_h: null }] }), 'p.json')).toEqual(
    expected,
  );
});

test.each([
  ['a,b', 'p.csv:1: unknown column "a"'],
  [head.replace('vcpu', 'vcpus'), 'p.csv:1: unknown column "vcpus"; did you mean "vcpu"?'],
  [head, 'p.csv:1: has no offering'],
  ['', 'p.csv:1: is empty; expected a head with cloud, region'],
  ['cloud,instance,vcpu,memory_gib\n', 'p.csv:1: has no column region'],
  [csv('aws,r,x,2,4,,,,0.1'), 'p.csv:2: 9 cells where the head has 10'],
  [csv('aws,r,x,2,4,,,,0.1,', 'aws,r,x,2,4,,,,0.2,'), 'p.csv:3: aws/r/*/x/on-demand is in line 2 already'],
  [csv('', 'aws,r,x,two,4,,,,0.1,'), 'p.csv:3: vcpu "two" is not a number above 0'],
  [csv('aws,r,x,2,4,,,,0.1234567,'), 'p.csv:2: on_demand_usd_h: "0.1234567" has more than six decimals'],
  [
    csv('aws,r,x,2,4,,,,-1,'),
    'p.csv:2: on_demand_usd_h: "-1" is not an amount; write digits and a point, such as 0.07',
  ],
  [csv('aws,r,x,2,4,,,,,'), 'p.csv:2: no price: one of on_demand_usd_h, spot_usd_h, reserved_usd_h is needed'],
  [csv('aws,,x,2,4,,,,0.1,'), 'p.csv:2: region is missing'],
  [csv('aws,r,x,2,4,Z9,1,24,0.1,'), 'p.csv:2: gpu_model "Z9" is not known; name its gpu_vendor'],
  [csv('aws,r,x,2,4,L4,1.5,24,0.1,'), 'p.csv:2: gpu_count 1.5 is neither a whole number nor a slice below 1'],
  [csv('aws,r,x,2,4,,1,24,0.1,'), 'p.csv:2: gpu_count without gpu_model'],
  [csv('aws,r,"x', 'y,2,4'), 'p.csv:2: a quote in the wrong place, or one that is never closed'],
])('what is wrong is told with its line: %j', (text, message) => {
  expect(() => parseCatalogue(text, 'p.csv')).toThrow(message);
});

test.each([
  ['{', 'p.json:1: is no JSON'],
  ['[\n  {"cloud": "a",\n  }]', 'p.json:3: is no JSON'],
  ['{"rows": []}', 'p.json:1: expected an array of offerings, or an object with one under "offerings"'],
  [
    '{"note": "\\"{",\n "offerings": [\n  {"cloud": "a",\n "region": {}}]}',
    'p.json:3: region must be text or a number, found {}',
  ],
  ['[\n {"cloud": "a"}]', 'p.json:2: region is missing'],
  ['[1]', 'p.json:1: an offering must be an object'],
  [
    '[{"cloud":"a","region":"r","instance":"x","vcpu":1,"memory_gib":1,"arch":"arm","on_demand_usd_h":1}]',
    'p.json:1: arch "arm" is none of amd64, arm64; did you mean "arm64"?',
  ],
  [
    '[{"cloud":"a","region":"r","instance":"x","vcpu":1,"memory_gib":1,"gpu_model":"Z","gpu_vendor":"nvida","on_demand_usd_h":1}]',
    'p.json:1: gpu_vendor "nvida" is none of nvidia, amd, intel, google, aws; did you mean "nvidia"?',
  ],
])('so it is in JSON: %j', (text, message) => {
  expect(() => parseCatalogue(text, 'p.json')).toThrow(message);
});
