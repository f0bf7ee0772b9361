import { workloadDocument } from '@ebb/testing';
import { beforeAll, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';
import { parseModel } from '../rehearse/modelFile.ts';

const { write, ebb } = commandFolder();

beforeAll(() => {
  const classes = [
    { name: 'cpu', command: ['serve'], concurrency: 2, pricePerHour: 0.1 },
    { name: 'gpu', command: ['serve'], concurrency: 8, pricePerHour: 2 },
  ];
  write('chat.yaml', JSON.stringify(workloadDocument('chat', { classes })));
  write('model.yaml', 'classes: { gpu: { service: 200ms, coldStart: 90s } }\n');
  const rows = Array.from({ length: 180 }, (_, index) => `${(index % 90) + 900 * Math.floor(index / 90)},10,40`);
  write('load.csv', `arrival_s,input_tokens,output_tokens\n${rows.join('\n')}\n`);
});

const words = ['advise', '--trace', 'load.csv?span=30m', '-f', 'chat.yaml', '--cold-start', '20s', '--share', '0.8'];

test('advise says which class, with the lengths of service and start of the flag and of the file', async () => {
  const { code, out } = await ebb(...words, '--model', 'model.yaml', '--service', '1s', '--service', 'cpu=3s');
  expect(code).toBe(0);
  expect(out).toMatch(/^(Use class (cpu|gpu) alone|Leave the classes as they are)\. /);
  expect(out).toContain('  which class\n    cpu alone costs $');
  expect(out).toMatch(/The answer flips where an hour of/);
  expect(out).not.toContain('Assumed');
  const told = JSON.parse((await ebb(...words, '--model', 'model.yaml', '--service', 'cpu=3s', '--json')).out);
  expect(told.classes.classes).toMatchObject([
    { name: 'cpu', coldStartMs: 20_000, hasOwnService: true, pricePerHourMicro: 100_000 },
    { name: 'gpu', coldStartMs: 90_000, hasOwnService: true, pricePerHourMicro: 2_000_000 },
  ]);
  expect(told.words.classes.length).toBeGreaterThan(2);
});

test.each([
  [['--service', 'gpo=2s'], 'the documents have no class "gpo"; there are cpu, gpu. Did you mean "gpu"?'],
  [['--service', 'gpu=soon'], '--service'],
  [['--service', '2s', '--service', '3s'], '2s and 3s are both for all classes; write CLASS=TIME for one'],
])('%j is refused', async (more, message) => {
  const { code, err } = await ebb(...words, ...more);
  expect(err).toContain(message);
  expect(code).toBe(2);
});

test('a class of a trace without documents is refused', async () => {
  const { code, err } = await ebb('rehearse', '--trace', 'load.csv', '--service', 'gpu=2s');
  expect(err).toContain('the documents have no class "gpu"; there are none: -f FILE');
  expect(code).toBe(2);
});

test('a model file says what differs by class', () => {
  const { classes } = parseModel(
    'classes: { gpu: { service: { base: 200ms, perToken: 5ms }, coldStart: 90s }, cpu: {} }',
  );
  expect(classes).toEqual({
    gpu: {
      service: { type: 'tokens', baseMs: 200, perTokenMs: 5, withoutTokensMs: 200 },
      coldStart: [{ stage: 'ready', ms: { type: 'fixed', ms: 90_000 } }],
    },
    cpu: {},
  });
  expect(() => parseModel('classes: { gpu: { servce: 2s } }')).toThrow(/gpu.*servce/);
  expect(() => parseModel('classes: { gpu: { coldStart: [] } }')).toThrow('gpu.coldStart needs at least one stage');
  expect(() => parseModel('classes: [gpu]')).toThrow('classes');
});
