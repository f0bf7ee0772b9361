import type { WorkloadInput } from '@ebb/documents';
import { beforeAll, expect, test } from 'vitest';
import { comparableModel, type WorldModel } from '../contract/model.ts';
import { onOff } from '../generators/onOff.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { simulate } from '../run/simulate.ts';
import { traceOf } from '../run/simulate.fixture.ts';
import { classModel } from '../world/classModel.ts';
import type { Advice, AdvisedClass, AdviseOptions } from './advice.ts';
import { advise } from './advise.ts';
import { adviceSentences } from './sentences.ts';

type ClassInput = WorkloadInput['spec']['classes'][number];

const fixed = (ms: number) => ({ type: 'fixed', ms }) as const;
const start = (ms: number) => [{ stage: 'ready', ms: fixed(ms) }];
const model: WorldModel = {
  ...comparableModel(20_000),
  onTimeShare: 0.9,
  classes: {
    cpu: { service: fixed(4000) },
    gpu: { service: fixed(400), coldStart: start(30_000) },
  },
};
const plain = comparableWorkload('model', model);

function workloadOf(classes: ClassInput[]): WorkloadInput {
  return { ...plain, spec: { ...plain.spec, classes } };
}

const cpu: ClassInput = { name: 'cpu', command: ['serve'], concurrency: 2, pricePerHour: '0.10' };
const gpu: ClassInput = { name: 'gpu', command: ['serve'], concurrency: 8, pricePerHour: '2.00' };
const trace = onOff({ seed: 3, spanSeconds: 3600, ratePerSecond: 1, onSeconds: 300, offSeconds: 600 });

function advised(one: ClassInput, world: WorldModel): AdvisedClass {
  const own = { ...classModel(world, one.name ?? ''), concurrency: one.concurrency ?? 1 };
  return {
    name: one.name ?? '',
    base: { workload: workloadOf([one]), settings: { model: own, maxReplicas: 50 } },
    model: own,
    pricePerHourMicro: Math.round(Number(one.pricePerHour ?? 0) * 1e6),
    hasOwnService: world.classes?.[one.name ?? '']?.service !== undefined,
  };
}

function options(classes: ClassInput[], more: Partial<AdviseOptions> = {}, world = model): AdviseOptions {
  const workload = workloadOf(classes);
  const settings = { model: { ...world, concurrency: 2 }, maxReplicas: 50 };
  return {
    trace: { trace },
    base: { workload, settings },
    present: policyDocuments('keepalive:1m', workload, settings),
    model: world,
    seed: 1,
    threads: 2,
    startReplicas: 'first-minute-mean',
    classes: classes.map((one) => advised(one, world)),
    ...more,
  };
}

/** A pool of threads for each advice takes its time: one is looked at by two tests. */
let first: Promise<Advice>;
beforeAll(() => {
  first = advise(options([cpu, gpu]));
  return first;
});

test('each class is rehearsed alone in its own world, and the cheapest that keeps the promise is said with its money', async () => {
  const advice = await first;
  const { classes } = advice;
  if (!classes) throw new Error('there are two classes');
  const [onCpu, onGpu] = classes.classes;
  // Four seconds with two slots against 0.4 s with eight: many replicas of a tenth against few of two.
  for (const one of [onCpu, onGpu]) {
    expect(one?.candidate.qualifies).toBe(true);
    expect(one?.microAMonth).toBeCloseTo((one?.candidate.replicaHoursAMonth ?? 0) * (one?.pricePerHourMicro ?? 0), -2);
    expect(one?.candidate.microAMonth).toBeCloseTo(one?.microAMonth ?? 0, -3);
  }
  expect([onCpu?.coldStartMs, onGpu?.coldStartMs]).toEqual([20_000, 30_000]);
  expect(onCpu?.candidate.replicaHoursAMonth).toBeGreaterThan(3 * (onGpu?.candidate.replicaHoursAMonth ?? 0));
  const cheapest = (onCpu?.microAMonth ?? 0) < (onGpu?.microAMonth ?? 0) ? 'cpu' : 'gpu';
  expect(classes.best).toBe(cheapest);
  expect(classes.staysMixed).toBe(false);
  expect(classes.mix?.policy).toBe('ebb');
  expect(classes.confidence).toBeGreaterThan(0);
  const words = adviceSentences(advice);
  expect(words.headline).toMatch(new RegExp(`^Use class ${cheapest} alone\\. `));
  expect(words.classes.join('\n')).toMatch(
    /cpu alone costs \$[\d,.]+ a month at its best \(.*\); .* of the requests wait/,
  );
  expect(words.classes.join('\n')).toMatch(/All classes as documented cost \$/);
  expect(words.classes.join('\n')).toMatch(/(Sure|Fairly sure|Not sure) of the class: drawing the \d+ parts .* anew/);
  expect(words.classes.join('\n')).not.toMatch(/NaN|undefined|Infinity|Assumed/);
});

test('the answer flips just where it says', async () => {
  const { classes } = await first;
  const best = classes?.classes.find(({ name }) => name === classes.best);
  const other = classes?.classes.find(({ name }) => name === classes.second);
  if (!best?.breakEvenMicro || !other?.breakEvenMicro) throw new Error('both keep the promise and have prices');
  const at = async (changed: string, micro: number) => {
    const priced = [cpu, gpu].map((one) =>
      one.name === changed ? { ...one, pricePerHour: (micro / 1e6).toFixed(6) } : one,
    );
    return (await advise(options(priced, { present: null }))).classes?.best;
  };
  expect(await at(best.name, best.breakEvenMicro * 0.99)).toBe(best.name);
  expect(await at(best.name, best.breakEvenMicro * 1.01)).toBe(other.name);
  expect(await at(other.name, other.breakEvenMicro * 1.01)).toBe(best.name);
  expect(await at(other.name, other.breakEvenMicro * 0.99)).toBe(other.name);
});

test('a class that cannot serve all of the requests is no answer at any price, and without prices a ratio is said', async () => {
  const rows = Array.from({ length: 600 }, (_, index) => ({ atUs: index * 1e6, tokens: index % 3 === 0 ? 900 : 40 }));
  const small = { ...cpu, pricePerHour: '0.01', accepts: { maxTokens: 256 } };
  const one = await advise(options([small, gpu], { trace: { trace: traceOf(rows) } }));
  expect(one.classes?.best).toBe('gpu');
  expect(one.classes?.second).toBeNull();
  const words = adviceSentences(one).classes.join('\n');
  expect(words).toContain('No price makes it cpu: it misses the promise alone.');
  expect(words).toMatch(/cpu alone .* of the requests wait longer than 5 s, more than promised/);

  const free = [cpu, gpu].map((one) => ({ ...one, pricePerHour: '0' }));
  const world = { ...model, classes: { gpu: { service: fixed(400) } } };
  const two = await advise(options(free, { present: null }, world));
  expect(two.classes?.classes.map(({ microAMonth }) => microAMonth)).toEqual([null, null]);
  const told = adviceSentences(two).classes.join('\n');
  expect(told).toMatch(
    /No class has a price \(pricePerHour\): (cpu|gpu) is the cheaper one while an hour of it costs less than [\d.]+ ×/,
  );
  expect(told).toContain('Assumed: a service takes on cpu as long as --service says; --service cpu=TIME');
});

test('documents with all their classes stay where no class alone is clearly cheaper', async () => {
  const twins = [
    { ...cpu, name: 'cpu' },
    { ...cpu, name: 'gpu' },
  ];
  const world = { ...model, classes: {} };
  const alone = await advise(options(twins, { present: null }, world));
  const present = policyDocuments(alone.chosen.policy, workloadOf(twins), {
    model: { ...world, concurrency: 2 },
    maxReplicas: 50,
  });
  const advice = await advise(options(twins, { present }, world));
  expect(advice.classes?.staysMixed).toBe(true);
  expect(adviceSentences(advice).headline).toMatch(/^Leave the classes as they are\. /);
  expect(adviceSentences(advice).classes.join('\n')).toContain('as long on all classes');
});

test('in a mix each request takes as long as the class that serves it, and each start as its class', async () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({
    atUs: (100 + 10 * index) * 1e6,
    tokens: index % 2 === 0 ? 900 : 40,
  }));
  const classes = [{ ...cpu, accepts: { maxTokens: 256 } }, gpu];
  const documents = policyDocuments('always-on:2', workloadOf(classes), {
    model: { ...model, concurrency: 2 },
    maxReplicas: 4,
  });
  const run = await simulate({ trace: traceOf(rows), documents, model, seed: 1, policy: 'always-on:2', price: null });
  expect(run.served).toBe(40);
  // Of two kinds: 20 small ones on the cheap class, 4 s each, and 20 large ones on the other, 0.4 s each.
  expect(run.servedSlotSeconds).toBeCloseTo(20 * 4 + 20 * 0.4, 6);
});
