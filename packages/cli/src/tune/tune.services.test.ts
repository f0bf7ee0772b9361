import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDocuments } from '@ebb/documents';
import { beforeAll, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

const { write, read, ebb } = commandFolder();

/** Bursts of a request a second, every so many seconds. */
function bursts(from: number, to: number, every: number, length: number): number[] {
  const found: number[] = [];
  for (let at = from; at + length <= to; at += every)
    for (let index = 0; index < length; index++) found.push(at + index);
  return found;
}

const traceText = (seconds: number[]) =>
  `arrival_s,input_tokens,output_tokens\n${seconds.map((at) => `${at},10,40`).join('\n')}\n`;
const hour = 3600;
const flags = ['--cold-start', '20s', '--share', '0.9'];

beforeAll(() => {
  write(
    'web.yaml',
    `# The chat model.
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: chat }
spec:
  classes:
    - command: [serve]
      concurrency: 8
      pricePerHour: 1.20
  scaling:
    policy: { type: windows }
    maxReplicas: 4
    keepAlive: 0s   # long enough?
  serving:
    timeouts: { hold: 1h }
`,
  );
  write('steady.csv', traceText(bursts(10, 2 * hour, 300, 100)));
  write('changed.csv', traceText([...bursts(10, hour, 90, 30), ...bursts(hour + 10, 2 * hour + 1, 1790, 10)]));
});

test('what holds is proposed as a diff and written with its comments; the same command gives the same', async () => {
  const words = ['tune', '-f', 'web.yaml', '--trace', 'steady.csv', ...flags, '--budget', '8 runs'];
  const { code, out } = await ebb(...words, '--write', 'tuned.yaml', '--html', 'tuned.html');
  expect(code).toBe(0);
  expect(out).toContain('Found: on the part that it has never seen it ');
  expect(out).toMatch(/^training +now .*\n^training +found +kept .*\n^validation +now .*\n^validation +found +kept/m);
  expect(out).toContain('cost against late share');
  const text = read('tuned.yaml');
  for (const comment of ['# The chat model.', '# long enough?']) expect(text).toContain(comment);
  expect(parseDocuments(text, { file: 'tuned.yaml' }).problems).toEqual([]);
  for (const line of out.match(/^ {2}\+ {2}.*$/gm) ?? []) expect(text).toContain(line.slice(3));
  const page = read('tuned.html');
  expect(page).toContain('ebb tune --file web.yaml --trace steady.csv');
  expect(page).not.toMatch(/NaN|undefined/);
  expect((await ebb(...words, '--threads', '1')).out).toBe(out);
});

test('an overfit is refused: exit code 1, both parts, no file', async () => {
  const words = [
    'tune',
    '-f',
    'web.yaml',
    '--trace',
    'changed.csv',
    ...flags,
    '--policy',
    'keepalive',
    '--budget',
    '5',
  ];
  const { code, out, err } = await ebb(...words, '--write', 'over.yaml', '--json');
  const told = JSON.parse(out);
  expect(told.verdict).toBe('promise-broken');
  expect(code).toBe(1);
  expect(told.edits).toEqual([]);
  expect(told.tuned.validation.requests).toBeGreaterThan(0);
  expect(err).toContain('over.yaml was not written');
  expect(() => read('over.yaml')).toThrow();
});

test.each([
  [['tune', '--trace', 'steady.csv'], 'say which document to tune'],
  [['tune', '-f', 'web.yaml'], 'say which trace to tune on'],
  [['tune', '-f', 'web.yaml', '--trace', 'none.csv'], 'none.csv: there is no such file'],
  [['tune', '-f', 'web.yaml', '--trace', 'steady.csv', '--policy', 'keda'], 'needs just one ScaledObject'],
  [['tune', '-f', 'web.yaml', '--trace', 'steady.csv', '--budget', '2'], 'from 4 on'],
  [['tune', '-f', 'web.yaml', '--trace', 'steady.csv', '--split', '1'], 'a share below 1'],
  [['tune', '-f', 'web.yaml', '--trace', 'steady.csv', '--cost-of-lateness', 'much'], '--cost-of-lateness'],
  [['advise'], 'say where the load is recorded'],
  [['advise', '--trace', 'steady.csv', '--journal', 'j.jsonl'], '--trace and --journal exclude one another'],
  [['advise', '--trace', 'steady.csv', '--cold-start', 'measured'], 'needs a --journal'],
  [['advise', '--prometheus', 'http://127.0.0.1:1'], 'needs a --query'],
  [['advise', '--prometheus', 'nowhere', '--query', 'x'], 'is no URL'],
])('ebb %j: %s', async (words, message) => {
  const { code, err } = await ebb(...words);
  expect(err).toContain(message);
  expect(code).toBe(2);
});

test('advise: the headline, the facts, the candidates, and what to paste', async () => {
  const { code, out } = await ebb(
    'advise',
    '--trace',
    'steady.csv',
    '-f',
    'web.yaml',
    '--cold-start',
    '20s',
    '--share',
    '0.9',
  );
  expect(code).toBe(0);
  expect(out).toMatch(/^(Scale to zero|Not worth it|Do not scale)/);
  expect(out).toMatch(/requests a day: 2,400 in /);
  expect(out).toMatch(/^ +> +\S.* kept /m);
  expect(out).toContain('Cold start 20 s (as --cold-start says)');
  const patch = out.slice(out.indexOf('  spec:\n'));
  expect(patch).toContain('minReplicas:');
});

test('advise takes the cold starts out of a journal, and says so where there are none', async () => {
  const record = (body: unknown, sequence: number) =>
    JSON.stringify({ sequence, segment: 1, atMs: sequence, kind: 'outcome', workload: 'local/default/chat', body });
  write('none.jsonl', `${record({ type: 'routed' }, 1)}\n`);
  const { code, err } = await ebb('advise', '--journal', 'none.jsonl', '--cold-start', 'measured');
  expect(code).toBe(2);
  expect(err).toContain('none.jsonl has no cold start to measure');
});

test('advise asks a Prometheus for the range and the step', async () => {
  const asked: URLSearchParams[] = [];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
    incoming.on('end', () => {
      const query = new URLSearchParams(body);
      asked.push(query);
      const from = Number(query.get('start'));
      const values = Array.from({ length: 60 }, (_, index) => [from + 60 * index, index % 10 === 0 ? '1' : '0']);
      outgoing.end(
        JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values }] } }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const { code, out } = await ebb(
      'advise',
      '--prometheus',
      url,
      '--query',
      'q',
      '--since',
      '1h',
      '--cold-start',
      '20s',
      '--json',
    );
    expect(code).toBe(0);
    const told = JSON.parse(out);
    expect(told.facts.requests).toBe(360);
    expect(told.words.headline).toBeTypeOf('string');
    const [query] = asked;
    expect(query?.get('query')).toBe('q');
    expect(Number(query?.get('end')) - Number(query?.get('start'))).toBe(3600);
    expect(query?.get('step')).toBe('60');
  } finally {
    server.close();
  }
});
