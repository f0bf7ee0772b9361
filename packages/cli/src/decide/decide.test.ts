import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkableText } from '../document.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { write, read, ebb } = commandFolder();
const decide = (...words: string[]) => ebb('decide', ...words);

const documents = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 2
  maxReplicas: 10
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }
---
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: { name: render }
spec:
  jobTargetRef: { template: { spec: { containers: [{ name: c, image: x }] } } }
  maxReplicaCount: 30
  triggers:
    - { type: rabbitmq, name: queue, metadata: { queueName: q, mode: QueueLength, value: "2" } }
`;

beforeAll(() => {
  write('several.yaml', documents);
  write('workload.yaml', checkableText('hello'));
});

describe('one decision', () => {
  it('is told with its chain in the order of the steps', async () => {
    const { code, out, err } = await decide('-f', 'several.yaml', 'web', '--reading', 'cpu=90%', '--replicas', '3');
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^web {2}HorizontalPodAutoscaler, policy hpa, at 0s, first decision\n {2}given +cpu 90%; 3 ready\n/,
    );
    const labels = [...out.matchAll(/^ {2}(\w+) /gm)].map(([, label]) => label);
    expect(labels).toEqual(['given', 'reading', 'recommendation', 'combine', 'behavior', 'bounds', 'decision', 'next']);
    expect(out).toContain('  decision        5 replicas\n');
    expect(out).toContain('asked again in 15s');
  });

  it('of a Workload: what is read is in flight', async () => {
    const { out } = await decide('-f', 'workload.yaml', '--reading', 'concurrency=1', '--ready', '1', '--json');
    const { decision, memory, sentences } = JSON.parse(out);
    expect(decision.replicas).toBe(1);
    expect(memory.policy).toBe('priced');
    expect(sentences[0]).toMatchObject({ stage: 'reading', code: 'first-decision' });
    expect(sentences).toHaveLength(decision.reasons.length);
  });

  it('of a ScaledJob: jobs to create', async () => {
    const { out } = await decide('-f', 'several.yaml', 'render', '--reading', 'queue=40', '--running', '5');
    expect(out).toContain('  decision        create 15 jobs\n');
  });

  it('goes on from a state file, at the time the one before asked for', async () => {
    const words = ['-f', 'several.yaml', 'web', '--state', 'web.json', '--json'];
    const first = await decide(...words, '--reading', 'cpu=90%', '--replicas', '3');
    expect(first.err).toContain('web.json is new');
    const second = await decide(...words, '--reading', 'cpu=10%');
    expect(second.err).toBe('');
    expect(JSON.parse(second.out)).toMatchObject({ atMs: 15_000, decision: { replicas: 5, revisitAtMs: 30_000 } });
    expect(JSON.parse(read('web.json'))).toMatchObject({ atMs: 15_000 });
  });

  it('takes an observation from a file, flags before it', async () => {
    write('seen.json', JSON.stringify({ replicas: 3, readings: { cpu: '60%' } }));
    const words = ['-f', 'several.yaml', 'web', '--observation', 'seen.json', '--json'];
    expect(JSON.parse((await decide(...words)).out).decision.replicas).toBe(3);
    expect(JSON.parse((await decide(...words, '--reading', 'cpu=120%')).out).decision.replicas).toBe(6);
  });
});

it.each([
  [[], 'say what to decide'],
  [['-f', 'several.yaml'], 'ebb decide -f several.yaml render'],
  [['-f', 'several.yaml', 'wbe'], 'Did you mean "web"?'],
  [['-f', 'several.yaml', 'web', '--reading', 'cpus=1%'], 'did you mean "cpu"? (metrics: cpu)'],
  [['-f', 'several.yaml', 'web', '--reading', 'cpu'], 'write NAME=VALUE'],
  [['-f', 'several.yaml', 'web', '--running', '1'], '--running says nothing about a HorizontalPodAutoscaler'],
  [['-f', 'several.yaml', 'render', '--in-flight', '1'], '--in-flight says nothing about a ScaledJob'],
  [['-f', 'several.yaml', 'render', '--running', '1', '--pending', '2'], '2 jobs cannot be pending of 1'],
  [['-f', 'workload.yaml', '--at', '1.5'], 'expected whole milliseconds'],
  [['-f', 'workload.yaml', '--observation', 'absent.json'], 'there is no file "absent.json"'],
  [['--batch', 'absent.jsonl'], 'there is no file "absent.jsonl"'],
  [['--batch', '--ready', '1'], '--ready says nothing to a batch'],
])('%j is refused with 2 and says how it is meant', async (words, message) => {
  const { code, out, err } = await decide(...words);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err).not.toMatch(/\n\s+at /);
  expect(out).toBe('');
});

it('a batch file: one answer a line, exit 1 where a line is wrong', async () => {
  write('cases.jsonl', '{"id":1,"formula":"1 + 1"}\nnonsense\n{"id":3,"formula":"2 * 3"}');
  const { code, out, err } = await decide('--batch', 'cases.jsonl');
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers).toEqual([{ id: 1, value: 2 }, { error: expect.stringContaining('no JSON') }, { id: 3, value: 6 }]);
  expect(code).toBe(1);
  expect(err).toContain('1 of 3 lines could not be answered');
});

/** The real command in a pipe: many lines of every kind come back in their order, none lost, none twice. */
it('a long batch through the built command', async () => {
  const root = fileURLToPath(new URL('../../../..', import.meta.url));
  const entry = join(root, 'packages', 'cli', 'bin', 'ebb.mjs');
  const lines = Array.from({ length: 4000 }, (_, id) => {
    const queue = id % 97;
    if (id % 4 === 0) return JSON.stringify({ id, formula: 'a * 2', values: { a: id } });
    if (id % 4 === 1) {
      const readings = [{ queueLength: queue, target: 1 }];
      return JSON.stringify({ id, scaledJob: { maxReplicas: 1000 }, readings });
    }
    if (id % 4 === 2) {
      const spec = { policy: 'windows', scaling: { maxReplicas: 1000 } };
      return JSON.stringify({ id, spec, observation: { held: queue } });
    }
    return id % 8 === 3 ? 'not a line' : JSON.stringify({ id, spec: { policy: 'none' } });
  });
  const { code, out } = await new Promise<{ code: number; out: string }>((resolve) => {
    const limits = { maxBuffer: 64 * 1024 * 1024, timeout: 30_000 };
    const child = execFile(process.execPath, [entry, 'decide', '--batch'], limits, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out: stdout });
    });
    // If the command ends early the exit code tells, not a broken pipe.
    child.stdin?.on('error', () => {});
    child.stdin?.end(`${lines.join('\n')}\n`);
  });
  expect(code).toBe(1);
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers).toHaveLength(lines.length);
  for (const [id, answer] of answers.entries()) {
    const queue = id % 97;
    if (id % 4 === 0) expect(answer).toEqual({ id, value: id * 2 });
    else if (id % 4 === 1) expect([answer.id, answer.jobs.create]).toEqual([id, queue]);
    else if (id % 4 === 2) expect([answer.id, answer.decision.replicas]).toEqual([id, queue]);
    else expect(answer.error).toBeTypeOf('string');
  }
});
