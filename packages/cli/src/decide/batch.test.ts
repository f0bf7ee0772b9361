import { describe, expect, it } from 'vitest';
import { Batch } from './batch.ts';
import { linesOf } from './lines.ts';
import { milliOfQuantity } from './quantity.ts';
import { Subjects } from './subject.ts';

function ask(request: unknown) {
  return JSON.parse(new Batch().answer(JSON.stringify(request)));
}

const hpaSpec = {
  policy: 'hpa',
  minReplicas: 2,
  maxReplicas: 6,
  metrics: [{ type: 'Resource', name: 'cpu', target: { averageUtilization: 30 } }],
};

const scaledObject = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'worker' },
  spec: {
    scaleTargetRef: { name: 'worker' },
    maxReplicaCount: 20,
    triggers: [{ type: 'rabbitmq', name: 'queue', metadata: { queueName: 'work', mode: 'QueueLength', value: '5' } }],
  },
};

describe('an HPA line', () => {
  // Cases of Kubernetes' own table (pkg/controller/podautoscaler/horizontal_test.go): TestScaleUp and its neighbours.
  it('takes samples and requests as quantities', () => {
    const requests = { cpu: '1' };
    const answer = ask({
      id: 'TestScaleUp',
      spec: hpaSpec,
      observation: {
        replicas: 3,
        hpa: { pods: [{ requests }, { requests }, { requests }], metrics: [{ pods: ['300m', '500m', '700m'] }] },
      },
    });
    expect(answer).toMatchObject({ id: 'TestScaleUp', decision: { replicas: 5 } });
  });

  it('counts an unready pod as unready, whatever its sample', () => {
    const requests = { cpu: '1' };
    const pods = [{ requests }, { requests }, { requests, ready: false, startTimeMs: 0 }];
    const metrics = { cpu: { pods: [{ valueMilli: 300 }, { valueMilli: 500 }, { value: 0.7 }] } };
    const { decision } = ask({ spec: hpaSpec, at: 0, observation: { replicas: 3, hpa: { pods, metrics } } });
    expect(decision.replicas).toBe(3);
    const allReady = [{ requests }, { requests }, { requests }];
    expect(
      ask({ spec: hpaSpec, at: 0, observation: { replicas: 3, hpa: { pods: allReady, metrics } } }).decision.replicas,
    ).toBe(5);
  });

  it('takes simple readings for pods that are alike', () => {
    const observation = { replicas: 3, readings: { cpu: '60%' } };
    expect(ask({ spec: hpaSpec, observation }).decision.replicas).toBe(6);
    expect(ask({ spec: hpaSpec, observation: { ...observation, readings: { cpu: 60 } } }).error).toContain('"80%"');
  });

  it('plays steps, each from what the one before decided', () => {
    const steps = [
      { replicas: 2, readings: { cpu: '60%' } },
      { afterMs: 15_000, readings: { cpu: '30%' } },
      { afterMs: 15_000, readings: { cpu: '10%' } },
    ];
    const { decisions, decision } = ask({ spec: hpaSpec, steps });
    expect(decisions.map((one: { replicas: number }) => one.replicas)).toEqual([4, 4, 4]);
    expect(decision.replicas).toBe(4);
  });
});

describe('other families', () => {
  it('prices: wake for what is held, and read the flow of each class', () => {
    const spec = { policy: 'priced', scaling: { maxReplicas: 4 } };
    const flow = { default: { spanMs: 1000, arrivals: 1, peak: 1, coldStartMs: 8000 } };
    const { decision, memory } = ask({ spec, observation: { replicas: 0, held: 1, flow } });
    expect([decision.replicas, memory.policy]).toEqual([1, 'priced']);
    const wrong = (more: object) => ask({ spec: { ...spec, ...more }, observation: { flow: { gpu: {} } } }).error;
    expect(wrong({})).toBe('observation.flow has no class "gpu" (classes: default)');
    expect(wrong({ onTime: 5 })).toContain('did you mean "onTimeMs"?');
    expect(ask({ spec, observation: { flow: { default: { arrival: 1 } } } }).error).toContain(
      'did you mean "arrivals"?',
    );
  });

  it('prices: a keep-alive counts where it is given', () => {
    const scaling = { maxReplicas: 4, keepAliveMs: 3_600_000 };
    const idle = { replicas: 1, lastActiveAtMs: 0 };
    const steps = [
      { nowMs: 0, inFlight: 1, replicas: 1 },
      ...[600_000, 1_200_000].map((nowMs) => ({ ...idle, nowMs })),
    ];
    const last = (more: object) => ask({ spec: { policy: 'priced', scaling: { maxReplicas: 4, ...more } }, steps });
    expect(last(scaling).decision.replicas).toBe(1);
    expect(last({}).decision.replicas).toBe(0);
  });

  it('KEDA: wakes from zero, and counts the queue from one', () => {
    expect(
      ask({ document: scaledObject, observation: { replicas: 0, readings: { queue: 40 } } }).decision.replicas,
    ).toBe(1);
    expect(
      ask({ document: scaledObject, observation: { replicas: 4, readings: { queue: 40 } } }).decision.replicas,
    ).toBe(8);
    expect(
      ask({ document: scaledObject, observation: { replicas: 4, readings: { queue: 'error' } } }).decision.replicas,
    ).toBe(4);
  });

  it('a document as YAML text', () => {
    const text = JSON.stringify(scaledObject);
    expect(ask({ document: text, observation: { replicas: 4, readings: { queue: 40 } } }).decision.replicas).toBe(8);
  });

  it('KPA: from its defaults', () => {
    const spec = { policy: 'kpa', containerConcurrency: 10, maxScale: 20 };
    const { decision } = ask({ spec, observation: { ready: 1, readings: { concurrency: 35 } } });
    expect(decision.replicas).toBe(5);
  });

  it('windows: what is here now is the floor', () => {
    const spec = { policy: 'windows', scaling: { maxReplicas: 5 } };
    expect(ask({ spec, observation: { held: 3 } }).decision.replicas).toBe(3);
    expect(ask({ spec, observation: { ready: 2, readings: { concurrency: 4 } } }).decision.replicas).toBe(4);
  });

  it('ScaledJob: from rules and from a document', () => {
    const readings = [{ queueLength: 10, target: 1 }];
    const counts = { running: 4, pending: 2 };
    expect(ask({ scaledJob: { maxReplicas: 20 }, readings, counts }).jobs.create).toBe(6);
    expect(ask({ scaledJob: { maxReplicas: 20, strategy: 'accurate' }, readings, counts }).jobs.create).toBe(8);
    const document = {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name: 'render' },
      spec: {
        jobTargetRef: { template: { spec: { containers: [{ name: 'c', image: 'x' }] } } },
        maxReplicaCount: 20,
        triggers: [{ type: 'rabbitmq', name: 'queue', metadata: { queueName: 'q', mode: 'QueueLength', value: '1' } }],
      },
    };
    expect(ask({ document, readings: { queue: 10 }, counts }).jobs.create).toBe(6);
  });

  it('a formula: number, nil, infinity and its place when it is wrong', () => {
    expect(ask({ formula: 'a + b', values: { a: 1, b: 2.5 } })).toEqual({ value: 3.5 });
    expect(ask({ formula: 'a ?? b', values: { a: null, b: null } })).toEqual({ value: null });
    expect(ask({ formula: 'a / b', values: { a: 1, b: 0 } })).toEqual({ value: 'Infinity' });
    expect(ask({ formula: 'a + c', values: { a: 1 } })).toMatchObject({ line: 1, column: 5 });
  });

  it('sentences where they are asked for', () => {
    const { sentences } = ask({
      document: scaledObject,
      observation: { replicas: 0, readings: { queue: 40 } },
      sentences: true,
    });
    expect(sentences).toEqual(['A trigger is active: 0 to 1 replica.']);
  });
});

describe('a series by hand', () => {
  it('goes on from its memory, and wants to know when', () => {
    const first = ask({ spec: hpaSpec, at: 0, observation: { replicas: 3, readings: { cpu: '60%' } } });
    expect(first.decision.replicas).toBe(6);
    const second = { spec: hpaSpec, memory: first.memory, observation: { readings: { cpu: '10%' } } };
    expect(ask(second).error).toContain('with a memory the time must be said');
    expect(ask({ ...second, at: 15_000 }).decision.replicas).toBe(6);
    expect(ask({ ...second, spec: { policy: 'kpa' }, at: 15_000 }).error).toContain('memory is of the policy hpa');
  });
});

describe('a wrong line', () => {
  it.each([
    ['', 'the line is empty'],
    ['{', 'the line is no JSON'],
    ['[]', 'a line is a JSON object'],
    ['{}', 'a line has one of document, spec, scaledJob, formula'],
    ['{"spec":{"policy":"kap"}}', 'did you mean "kpa"?'],
    ['{"spec":{"policy":"kpa","maxScal":3}}', 'spec has no field "maxScal"; did you mean "maxScale"?'],
    ['{"spec":{"policy":"kpa"},"observation":{"reday":1}}', 'did you mean "ready"?'],
    [
      '{"spec":{"policy":"kpa"},"observation":{"readings":{"concurency":1}}}',
      'no trigger "concurency"; did you mean "concurrency"?',
    ],
    ['{"spec":{"policy":"kpa"},"observation":{"ready":-1}}', 'observation.ready is a whole number from 0, not -1'],
    ['{"spec":{"policy":"kpa"},"observation":{"classes":{"gpu":{}}}}', 'observation.classes has no class "gpu"'],
    [
      '{"spec":{"policy":"hpa","maxReplicas":3,"metrics":[]},"observation":{"hpa":{"metrics":[{}]}}}',
      'hpa.metrics[0] needs',
    ],
    ['{"document":{"kind":"Workload"}}', 'document:1:1: error'],
    ['{"scaledJob":{"strategy":"fast"},"readings":[]}', 'scaledJob.strategy is one of default'],
    ['{"formula":"1","valeus":{}}', 'did you mean "values"?'],
    ['{"spec":{"policy":"kpa"},"steps":[{"nowMs":5},{"nowMs":4}]}', 'steps[1] is at 4, before the step before it'],
  ])('%s', (line, message) => {
    const batch = new Batch();
    expect(JSON.parse(batch.answer(line)).error).toContain(message);
    expect(batch.failed).toBe(1);
    expect(batch.answer('{"id":7,"formula":"1 + 1"}')).toBe('{"id":7,"value":2}');
    expect(batch).toMatchObject({ lines: 2, failed: 1 });
  });

  it('keeps its id', () => {
    expect(ask({ id: 'x', formula: 1 })).toEqual({ id: 'x', error: 'formula is a text, not 1' });
  });
});

it('keeps a bounded number of documents, those used last', () => {
  const subjects = new Subjects();
  const named = (index: number) => ({ ...scaledObject, metadata: { name: `worker-${index}` } });
  const first = subjects.of(named(0));
  for (let index = 1; index < 1200; index++) {
    subjects.of(named(index));
    expect(subjects.of(named(0))).toBe(first);
  }
  expect(subjects.size).toBe(1000);
});

describe('quantities', () => {
  it.each([
    ['500m', 500],
    ['1', 1000],
    ['0.1', 100],
    ['100Mi', 104_857_600_000],
    ['1k', 1_000_000],
    // Rounded up, as MilliValue does.
    ['1n', 1],
    ['1500u', 2],
    ['80%', null],
    ['', null],
    ['9999999999999P', null],
  ])('%s', (text, milli) => {
    expect(milliOfQuantity(text)).toBe(milli);
  });
});

describe('lines', () => {
  async function read(chunks: string[], longest?: number) {
    async function* stream() {
      yield* chunks;
    }
    const lines = [];
    for await (const line of linesOf(stream(), longest)) lines.push('text' in line ? line.text : null);
    return lines;
  }

  it('are the same however the stream is cut', async () => {
    expect(await read(['a\nb', 'c\r\n', '\nd'])).toEqual(['a', 'bc', '', 'd']);
    expect(await read(['a\n'])).toEqual(['a']);
    expect(await read([])).toEqual([]);
  });

  it('that are too long are passed over, and the next one is read', async () => {
    expect(await read(['aaaa', 'aaaa\nb\n', 'cccc\nccccc'], 4)).toEqual([null, 'b', 'cccc', null]);
  });
});
