import { workloadSpec } from '@ebb/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClassHintMemory } from './classHintMemory.ts';
import { type ClassHintSpec, classHintSpecOf } from './classHintSpec.ts';
import { type ClassHint, hintOf, whyNoHint } from './hintOf.ts';
import { type ClassSeen, learnClasses } from './learnClasses.ts';

/** A millisecond to wait is nothing, so that what is needed follows from Erlang's table: half the requests may wait. */
const spec: ClassHintSpec = {
  classes: [
    { name: 'cpu', slots: 1, pricePerHourMicro: 200_000, acceptsAll: true },
    { name: 'gpu', slots: 1, pricePerHourMicro: 1_000_000, acceptsAll: true },
  ],
  minReplicas: 0,
  maxReplicas: 100,
  onTimeMs: 0,
  onTimeShare: 0.5,
  costOfLatenessMicro: null,
};
const minuteMs = 60_000;
const dayMinutes = 1440;
const start = 1_767_225_600_000;

interface Load {
  minutes: number;
  perSecond: number;
  cpuSeconds?: number;
  gpuSeconds?: number | null;
}

/** Minutes at a steady rate, nine of ten requests on the CPU. */
function after(loads: Load[], known = spec, memory: ClassHintMemory | null = null, fromMs = start) {
  let learned = memory;
  let nowMs = fromMs;
  const held: (string | null)[] = [];
  for (const { minutes, perSecond, cpuSeconds = 4, gpuSeconds = 0.25 } of loads) {
    for (let minute = 0; minute < minutes; minute++) {
      nowMs += minuteMs;
      const arrivals = 60 * perSecond;
      const seen = (answered: number, seconds: number): ClassSeen => ({
        arrivals: 0,
        answered,
        serviceMs: 1000 * answered * seconds,
        late: 0,
        coldStartMs: 10_000,
      });
      const gpu = gpuSeconds === null ? seen(0, 0) : seen(arrivals / 10, gpuSeconds);
      const classes = { cpu: { ...seen((9 * arrivals) / 10, cpuSeconds), arrivals }, gpu };
      learned = learnClasses(known, learned, { nowMs, spanMs: minuteMs, classes });
      held.push(learned.held);
    }
  }
  if (!learned) throw new Error('nothing was learned');
  return { memory: learned, hint: hintOf(known, learned), nowMs, held };
}

function expectHint(hint: ClassHint | null): ClassHint {
  if (!hint) throw new Error('there is no hint');
  return hint;
}

test('two classes by hand: what each would cost at 1 a second, and the rate where it turns', () => {
  // Offered: 4 on the CPU, 0.25 on the GPU. Erlang's C(5, 4) = 0.554 and C(6, 4) = 0.285, so 6 CPUs; C(1, 0.25) = 0.25.
  const hint = expectHint(after([{ minutes: 120, perSecond: 1 }]).hint);
  expect(hint.costPerHourMicro).toEqual({ cpu: 1_200_000, gpu: 1_000_000 });
  expect(hint.class).toBe('gpu');
  expect(hint.lateShare.cpu).toBeCloseTo(0.2848, 3);
  // Five CPUs cost what one GPU does: C(5, a) is a half at a = 3.85, so at 0.96 a second the CPU draws level.
  const perSecond = (hint.breakEvenRatePerHour ?? 0) / 3600;
  expect(perSecond).toBeGreaterThan(0.9);
  expect(perSecond).toBeLessThan(1);
  expect(hint.because).toMatch(
    /^gpu would cost 1\.00 an hour instead of 1\.20 at this load \(1 request a second, 0\.25 s instead of 4 s a service\); below 0\.9\d requests a second cpu is cheaper$/,
  );
});

test('the sides of the turning point: cpu below, gpu above', () => {
  for (const [perSecond, name] of [
    [0.2, 'cpu'],
    [0.9, 'cpu'],
    [1, 'gpu'],
    [1.6, 'gpu'],
  ] as const) {
    expect(after([{ minutes: 90, perSecond }]).hint?.class, `${perSecond} a second`).toBe(name);
  }
});

test('it follows the demand to the GPU and back', () => {
  const low = after([{ minutes: dayMinutes, perSecond: 0.2 }]);
  expect(low.hint?.class).toBe('cpu');
  const high = after([{ minutes: 2 * dayMinutes, perSecond: 1.9 }], spec, low.memory, low.nowMs);
  expect(high.hint?.class).toBe('gpu');
  const back = after([{ minutes: 3 * dayMinutes, perSecond: 0.2 }], spec, high.memory, high.nowMs);
  expect(back.hint?.class).toBe('cpu');
  expect(back.held.filter((name, index) => name !== (back.held[index - 1] ?? 'gpu'))).toHaveLength(1);
});

test('a class that is cheaper by less than 15 % changes nothing, and a clear one only after an hour', () => {
  const cpu = after([{ minutes: 120, perSecond: 0.9 }]);
  expect(cpu.hint?.class).toBe('cpu');
  const priced = (gpu: number): ClassHintSpec => ({
    ...spec,
    classes: spec.classes.map((one) => (one.name === 'gpu' ? { ...one, pricePerHourMicro: gpu } : one)),
  });
  const costs = expectHint(cpu.hint).costPerHourMicro;
  const cpuCost = costs.cpu ?? 0;
  const more = (gpuPrice: number, minutes: number) =>
    after([{ minutes, perSecond: 0.9 }], priced(gpuPrice), cpu.memory, cpu.nowMs);
  const little = more(Math.round(0.88 * cpuCost), 300);
  expect(little.hint?.class).toBe('cpu');
  expect(little.hint?.because).toMatch(/too little less to change for$/);
  const clear = more(Math.round(0.8 * cpuCost), 90);
  expect(clear.held.indexOf('gpu')).toBe(60);
});

test('a short time in which the other is cheaper changes nothing', () => {
  const cpu = after([{ minutes: 120, perSecond: 0.2 }]);
  const rival = { ...cpu.memory, rival: { class: 'gpu', since: cpu.memory.seconds - 3000 } };
  expect(after([{ minutes: 30, perSecond: 0.2 }], spec, rival, cpu.nowMs)).toMatchObject({ hint: { class: 'cpu' } });
});

test('no hint from less than an hour, without a request, or where one class is not known', () => {
  const young = after([{ minutes: 59, perSecond: 1 }]);
  expect(young.hint).toBeNull();
  expect(whyNoHint(spec, young.memory)).toBe('No hint yet: 59 of 60 minutes are seen.');
  expect(after([{ minutes: 60, perSecond: 1 }]).hint).not.toBeNull();
  const unused = after([{ minutes: 600, perSecond: 1, gpuSeconds: null }]);
  expect(unused.hint).toBeNull();
  expect(whyNoHint(spec, unused.memory)).toBe('No hint: how long gpu takes for a request is not known.');
  const idle = after([{ minutes: 600, perSecond: 0 }]);
  expect(idle.hint).toBeNull();
  expect(whyNoHint(spec, idle.memory)).toMatch(/no request/);
  expect(hintOf(spec, null)).toBeNull();
});

test('a third class that was never used is named, and not compared', () => {
  const tpu = { name: 'tpu', slots: 1, pricePerHourMicro: 10, acceptsAll: true };
  const three = { ...spec, classes: [...spec.classes, tpu] };
  const hint = expectHint(after([{ minutes: 120, perSecond: 1 }], three).hint);
  expect(Object.keys(hint.costPerHourMicro)).toEqual(['cpu', 'gpu']);
  expect(hint.because).toMatch(/; nothing is known of tpu yet$/);
});

test('what a class does not accept is served by the one that accepts all', () => {
  const [cpu, gpu] = spec.classes;
  if (!cpu || !gpu) throw new Error('two classes');
  const picky = { ...spec, classes: [{ ...cpu, acceptsAll: false }, gpu] };
  const all = after([{ minutes: 120, perSecond: 1 }], picky);
  expect(all.hint?.class).toBe('gpu');
  // Of a half each: 6 CPUs become 3 (C(3, 2) = 0.444), and a GPU stays.
  const { classes } = all.memory;
  const arrivals = classes.cpu?.arrivals ?? 0;
  const known = { service: 100, served: 400, arrivals, coldStartMs: 1 };
  const halves: ClassHintMemory = { ...all.memory, classes: { ...classes, gpu: known } };
  const hint = expectHint(hintOf(picky, halves));
  expect(hint.costPerHourMicro).toEqual({ cpu: 1_600_000, gpu: 1_000_000 });
  expect(hint.because).toMatch(/^gpu would cost 1\.00 an hour instead of 1\.60 /);
  // Nothing is known of what a dearer class turns away, nor where the rest would go.
  const two = { ...spec, classes: [cpu, { ...gpu, acceptsAll: false }] };
  expect(whyNoHint(two, halves)).toBe('No hint: which requests gpu accepts is not known.');
  const nowhere = {
    ...spec,
    classes: [
      { ...cpu, acceptsAll: false },
      { ...gpu, acceptsAll: false },
    ],
  };
  expect(hintOf(nowhere, halves)).toBeNull();
});

test('a class that would need more replicas than there may be does not keep the promise', () => {
  const few = { ...spec, maxReplicas: 4 };
  const hint = expectHint(after([{ minutes: 120, perSecond: 1 }], few).hint);
  expect(hint.class).toBe('gpu');
  expect(hint.lateShare.cpu).toBe(1);
  expect(hint.because).toMatch(/cpu would not keep the promise with the replicas it may have$/);
  // Nor does it become the cheaper one at rates that are beyond both.
  expect(hint.breakEvenRatePerHour).toBeLessThan(3600);
  const one = { ...spec, maxReplicas: 1 };
  const none = after([{ minutes: 120, perSecond: 10 }], one);
  expect(whyNoHint(one, none.memory)).toBe('No hint: no class keeps the promise within maxReplicas (1).');
  expect(none.hint).toBeNull();
});

test('going to zero between requests is in the cost, as far as the promise allows it', () => {
  // A request in each tenth minute, cold start 10 s: of nine minutes of quiet 10 s are paid, and the return is late.
  const once = { minutes: 10, perSecond: 0 };
  const loads = Array.from({ length: 12 * 8 }, () => [
    { ...once, minutes: 9 },
    { minutes: 1, perSecond: 1 / 30 },
  ]).flat();
  const cost = (more: Partial<ClassHintSpec>) => {
    const known = { ...spec, ...more };
    return expectHint(after(loads, known).hint).costPerHourMicro.cpu ?? 0;
  };
  const busy = 20_000;
  expect(cost({ onTimeMs: 20_000 })).toBeCloseTo(busy + 200_000 * (10 / 600), -3);
  // Every return would be late and nearly none may be: it is kept.
  expect(cost({ onTimeMs: 5_000, onTimeShare: 0.999 })).toBeGreaterThan(190_000);
  expect(cost({ minReplicas: 1 })).toBeCloseTo(200_000, -3);
  // Without a share a late request counts as half a minute of a replica, far less than nine minutes; one in a hundred may
  // wait, which takes two replicas in the busy minute.
  expect(cost({ onTimeMs: 5_000, onTimeShare: null })).toBeCloseTo(2 * busy + 200_000 * (10 / 600), -3);
});

test('a long span with a single request was quiet before it', () => {
  const hour = { arrivals: 1, answered: 1, serviceMs: 100, late: 0, coldStartMs: 10 };
  const memory = learnClasses(spec, null, { nowMs: start + 3_600_000, spanMs: 3_600_000, classes: { cpu: hour } });
  const [day, gaps, quiet, , busy, requests] = memory.rates[0] ?? [];
  expect([day, gaps, quiet, busy, requests]).toEqual([start / 86_400_000, 1, 3540, 60, 1]);
});

test('what it is computed from is in the document', () => {
  const two = [
    { name: 'gpu', command: ['a'], pricePerHour: '1.5', concurrency: 0 },
    { name: 'cpu', command: ['a'], pricePerHour: '0.5', accepts: { maxTokens: 5 } },
  ];
  const policy = { type: 'priced', onTime: '2s', share: 0.9 } as const;
  const made = classHintSpecOf(workloadSpec('web', { classes: two, scaling: { policy, maxReplicas: 3 } }));
  expect(made).toEqual({
    classes: [
      { name: 'cpu', slots: 1, pricePerHourMicro: 500_000, acceptsAll: false },
      { name: 'gpu', slots: 10, pricePerHourMicro: 1_500_000, acceptsAll: true },
    ],
    minReplicas: 0,
    maxReplicas: 3,
    onTimeMs: 2000,
    onTimeShare: 0.9,
    costOfLatenessMicro: null,
  });
  expect(classHintSpecOf(workloadSpec('web', { scaling: { policy } }))).toBeNull();
  expect(classHintSpecOf(workloadSpec('web', { classes: two, scaling: { policy: { type: 'windows' } } }))).toBeNull();
});

const seenClass = fc.record({
  arrivals: fc.nat({ max: 1e7 }),
  answered: fc.nat({ max: 1e7 }),
  serviceMs: fc.nat({ max: 2 ** 40 }),
  late: fc.nat({ max: 1e7 }),
  coldStartMs: fc.option(fc.nat({ max: 1e6 })),
});
const spans = fc.array(
  fc.record({
    spanMs: fc.oneof(fc.integer({ min: 60_000, max: 120_000 }), fc.nat({ max: 1e8 })),
    cpu: seenClass,
    gpu: seenClass,
  }),
  { minLength: 1, maxLength: 40 },
);

function learnAll(known: ClassHintSpec, told: { spanMs: number; cpu: ClassSeen; gpu: ClassSeen }[]) {
  let memory: ClassHintMemory | null = null;
  let nowMs = start;
  for (const { spanMs, ...classes } of told) {
    nowMs += spanMs;
    memory = learnClasses(known, memory, { nowMs, spanMs, classes });
  }
  return memory;
}

test('whatever is counted: finite numbers, JSON and back, about a kilobyte, the same by every price unit', () => {
  const shares = fc.constantFrom(null, 0.5, 0.99);
  fc.assert(
    fc.property(spans, shares, fc.integer({ min: 2, max: 1000 }), (told, onTimeShare, factor) => {
      const known = { ...spec, onTimeShare };
      const memory = learnAll(known, told);
      const text = JSON.stringify(memory);
      expect(JSON.parse(text)).toEqual(memory);
      expect(text.length).toBeLessThan(1400);
      const hint = hintOf(known, memory);
      expect(hint === null).toBe(whyNoHint(known, memory) !== null);
      if (!hint) return;
      const { costPerHourMicro, lateShare, confidence, breakEvenRatePerHour } = hint;
      const all = [
        ...Object.values(costPerHourMicro),
        ...Object.values(lateShare),
        confidence,
        breakEvenRatePerHour ?? 0,
      ];
      expect(all.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
      const classes = spec.classes.map((one) => ({ ...one, pricePerHourMicro: one.pricePerHourMicro * factor }));
      const dearer = { ...known, classes };
      const scaled = expectHint(hintOf(dearer, learnAll(dearer, told)));
      expect(scaled).toMatchObject({ class: hint.class, lateShare, confidence });
      for (const [name, cost] of Object.entries(costPerHourMicro)) {
        expect(Math.abs((scaled.costPerHourMicro[name] ?? 0) - factor * cost)).toBeLessThanOrEqual(factor);
      }
    }),
    { numRuns: 200 },
  );
});
