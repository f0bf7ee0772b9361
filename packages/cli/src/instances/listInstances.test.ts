import { expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

const { write, ebb: run } = commandFolder({ env: { NO_COLOR: '1' } });
const ebb = (...words: string[]) => run('list-instances', ...words);

test('the table: cheapest first, slices as parts of a card, and how many more there are', async () => {
  const { code, out, err } = await ebb('--cloud', 'aws', '--region', 'us-east-1', '--gpu', 'l4', '--limit', '3');
  expect(code).toBe(0);
  expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
    'CLOUD REGION INSTANCE VCPU MEMORY GPU GPU MEMORY CAPACITY USD/H',
    'aws us-east-1 g6f.large 2 8 GiB 1/8 L4 3 GiB on-demand 0.2020',
    'aws us-east-1 g6f.xlarge 4 16 GiB 1/8 L4 3 GiB on-demand 0.2375',
    'aws us-east-1 g6f.2xlarge 8 32 GiB 1/4 L4 6 GiB on-demand 0.4750',
    '',
  ]);
  expect(err).toMatch(/^and \d+ dearer ones; --limit 0 shows all\n$/);
});

test('JSON has the names and units of the core', async () => {
  const { out } = await ebb(
    ...['--gpu', 'h100', '--min-gpus', '8', '--min-gpu-mem', '80Gi', '--min-cpu', '100', '--min-memory', '1Ti'],
    ...['--capacity', 'on-demand', '--cloud', 'aws', '--json'],
  );
  const { offerings } = JSON.parse(out);
  expect(offerings.map((one: { instance: string }) => one.instance)).toEqual(['p5.48xlarge']);
  expect(offerings[0]).toMatchObject({
    gpu: { vendor: 'nvidia', model: 'H100-80GB', count: 8, memoryBytes: 85_899_345_920, cards: 8 },
    currency: 'USD',
    pricePerHourMicro: 55_040_000,
  });
});

test('own prices in place of the list, with what a discount leaves', async () => {
  write('own.csv', 'cloud,region,zone,instance,vcpu,memory_gib,spot_usd_h\nown,hall,h-1,x,0.5,1,0.3\n');
  const { out } = await ebb('--catalogue', 'own.csv', '--factor', 'own/*/*/spot=1/3', '--factor', '*=50%');
  expect(out).toContain('own    hall    h-1   x          0.5   1 GiB                   spot      0.0500');
  write('bad.csv', 'cloud,region,instance,vcpu,memory_gib,spot_usd_h\nown,hall,x,?,1,0.3\n');
  expect(await ebb('--catalogue', 'bad.csv')).toMatchObject({
    code: 2,
    err: 'ebb: bad.csv:2: vcpu "?" is not a number above 0\n',
  });
  expect((await ebb('--catalogue', 'none.csv')).err).toContain('--catalogue none.csv cannot be read: ENOENT');
});

test.each([
  [['--cloud', 'awz'], 'the list has no cloud "awz". Did you mean "aws"?\n  it has aws, azure, gcp'],
  [['--cloud', 'gcp', '--region', 'us-east-1'], 'the list has no region of gcp "us-east-1". Did you mean "us-east1"?'],
  [['--gpu', 'H10'], null],
  [['--gpu', 'Z100'], 'the list has no GPU "Z100".'],
  [['--instance', 'g5.xlrge'], 'the list has no machine "g5.xlrge". Did you mean "g5.xlarge"?'],
  [['--min-gpu-mem', 'lots'], '--min-gpu-mem: "lots" is not'],
  [['--factor', 'aws'], '--factor: "aws" is no price factor'],
])('%j', async (words, message) => {
  const { code, err } = await ebb(...words);
  if (message === null) expect(code).toBe(0);
  else expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(`ebb: ${message}`) });
});

test('nothing that fits is no error', async () => {
  expect(await ebb('--gpu', 'T4', '--min-gpus', '64')).toEqual({
    code: 0,
    out: '',
    err: 'no machine of the list has all of that\n',
  });
});
