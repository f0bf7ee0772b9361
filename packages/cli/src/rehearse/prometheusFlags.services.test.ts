import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { workloadDocument } from '@ebb/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { commandFolder, runMain } from '../runMain.fixture.ts';
import { commandLine } from './commandLine.ts';
import { tokenVariable, withoutLogin } from './prometheus.ts';

interface Asked {
  query: URLSearchParams;
  authorization: string | undefined;
}

const { at, write, read } = commandFolder();
const ebb = (words: string[], env?: Record<string, string>) => runMain(words, at(), env);
let server: Server;
let root = '';
let asked: Asked[] = [];

const matrix = (result: unknown) => JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } });

/** Answers as a Prometheus does; what the query is called says with what. */
function answerTo({ query }: Asked): { status: number; text: string } {
  const [from, to, step] = ['start', 'end', 'step'].map((name) => Number(query.get(name)));
  if (from === undefined || to === undefined || step === undefined) return { status: 400, text: '' };
  const values = (at: (index: number) => string) =>
    Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => [from + index * step, at(index)]);
  switch (query.get('query')) {
    case 'bursts':
      return { status: 200, text: matrix([{ metric: {}, values: values((index) => (index % 10 < 3 ? '0.5' : '0')) }]) };
    case 'nan':
      return { status: 200, text: matrix([{ metric: {}, values: values(() => 'NaN') }]) };
    case 'zero':
      return { status: 200, text: matrix([{ metric: {}, values: values(() => '0') }]) };
    case 'empty':
      return { status: 200, text: matrix([]) };
    case 'login':
      return { status: 401, text: 'Unauthorized' };
    default:
      return {
        status: 400,
        text: JSON.stringify({ status: 'error', error: 'parse error: unclosed left parenthesis' }),
      };
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk;
  return body;
}

beforeAll(async () => {
  const classes = [{ name: 'default', command: ['serve'], concurrency: 8, pricePerHour: 1 }];
  write('web.yaml', JSON.stringify(workloadDocument('web', { classes })));
  write('load.csv', 't_s,requests\n0,40\n600,1\n');
  server = createServer((incoming, outgoing) => {
    void bodyOf(incoming).then((body) => {
      const one = { query: new URLSearchParams(body), authorization: incoming.headers.authorization };
      asked.push(one);
      const { status, text } = answerTo(one);
      outgoing.writeHead(status, { connection: 'close' }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  asked = [];
});

const range = ['--since', '2h', '--step', '1m'];
const rehearse = ['rehearse', '--policies', 'ebb,keepalive:1m', '--cold-start', '20s'];

test('rehearse asks for the range and the step, tells so in a line, and rehearses what came', async () => {
  const { code, out, err } = await ebb([...rehearse, '--prometheus', root, '--query', 'bursts', ...range, '--json']);
  expect(code).toBe(0);
  const { rows, traces } = JSON.parse(out);
  // 121 points, of ten the first three at 30 requests a minute.
  expect(traces[0].requests).toBe((12 * 3 + 1) * 30);
  expect(rows.map(({ policy }: { policy: string }) => policy)).toEqual(['ebb', 'keepalive:1m']);
  expect(err).toContain(`asking ${root} for 2h in steps of 1m …\n`);
  expect(asked).toHaveLength(1);
  const [{ query } = { query: new URLSearchParams() }] = asked;
  expect(Number(query.get('end')) - Number(query.get('start'))).toBe(7200);
  expect(Number(query.get('end')) % 60).toBe(0);
  expect(query.get('step')).toBe('60');

  const first = await ebb([
    ...rehearse,
    '--prometheus',
    root,
    '--query',
    'bursts',
    ...range,
    '--first',
    '9m',
    '--json',
  ]);
  expect(JSON.parse(first.out).traces[0].requests).toBe(90);
});

test('tune searches on it, and a long range is asked for in parts', async () => {
  const words = ['tune', '-f', 'web.yaml', '--prometheus', root, '--query', 'bursts', '--cold-start', '20s'];
  const { code, out } = await ebb([...words, ...range, '--budget', '6', '--json']);
  expect([0, 1]).toContain(code);
  const { parts, runs, stopped, tried } = JSON.parse(out);
  expect(parts.training.requests + parts.validation.requests).toBe((12 * 3 + 1) * 30);
  expect(tried.length + stopped.length).toBe(runs);
  const long = await ebb([...rehearse, '--prometheus', root, '--query', 'zero', '--since', '5h', '--step', '1s']);
  expect(long.err).toContain(': part 2 of 2 …');
  expect(asked).toHaveLength(3);
});

test('a login goes to the server and nowhere else', async () => {
  const secret = 'hunter2secret';
  const url = root.replace('//', `//ada:${secret}@`);
  const report = ['--html', 'report.html', '--csv', 'rows.csv'];
  const plain = await ebb([...rehearse, '--prometheus', url, '--query', 'bursts', ...range, ...report]);
  expect(plain.code).toBe(0);
  expect(asked[0]?.authorization).toBe(`Basic ${btoa(`ada:${secret}`)}`);
  const bearer = await ebb([...rehearse, '--prometheus', root, '--query', 'login', ...range], {
    [tokenVariable]: secret,
  });
  expect(bearer.code).toBe(2);
  expect(asked[1]?.authorization).toBe(`Bearer ${secret}`);
  expect(bearer.err).toContain(`--prometheus: ${root}: answered 401 Unauthorized`);
  expect(bearer.err).toContain(tokenVariable);
  const wrong = await ebb([...rehearse, '--prometheus', `ada:${secret}@host:9`, '--query', 'x']);
  expect(wrong.err).toContain('is no URL');
  const written = ['report.html', 'rows.csv'].map((name) => read(name));
  expect(written[0]).toContain(`--prometheus ${root} --query bursts`);
  for (const text of [plain.out, plain.err, bearer.out, bearer.err, wrong.err, ...written]) {
    expect(text).not.toContain(secret);
  }
  expect(withoutLogin('https://a:b@host/prometheus')).toBe('https://host/prometheus');
  expect(
    commandLine('ebb x', { trace: ['a', 'b c'], json: true, toTheEnd: true, first: undefined }, new Set(['json'])),
  ).toBe("ebb x --trace a --trace 'b c' --to-the-end");
});

test.each(['rehearse', 'tune -f web.yaml', 'advise'])(
  'ebb %s says what is wrong, and nothing is rehearsed',
  async (command) => {
    const words = command.split(' ');
    const cases: [string[], RegExp][] = [
      [['--prometheus', root, '--query', 'sum('], /--prometheus: .*answered 400: Prometheus says: parse error/],
      [['--prometheus', root, '--query', 'empty'], /empty: no series: the query found nothing in this range/],
      [['--prometheus', root, '--query', 'nan'], /nan: all values are NaN/],
      [['--prometheus', root, '--query', 'zero'], /zero: all values are 0/],
      [['--prometheus', 'http://127.0.0.1:1', '--query', 'bursts'], /127\.0\.0\.1:1: cannot be asked: .*/],
      [['--prometheus', root], /needs a --query/],
      [['--prometheus', 'ftp://host', '--query', 'x'], /is no URL/],
      [['--prometheus', `${root}/?query=x`, '--query', 'x'], /without \? and #/],
      [['--prometheus', root, '--query', 'x', '--step', '8d'], /no longer than --since/],
      [['--prometheus', root, '--query', 'x', '--trace', 'load.csv'], /exclude one another/],
      [['--trace', 'load.csv', '--query', 'x'], /--query goes with --prometheus/],
    ];
    for (const [flags, message] of cases) {
      const { code, out, err } = await ebb([...words, ...flags]);
      expect(err).toMatch(message);
      expect(code).toBe(2);
      expect(out).toBe('');
    }
  },
);
