import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The real command, as built, with a real control plane: what the page shows is what it prints. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const entry = join(root, 'packages', 'cli', 'bin', 'ebb.mjs');
const longestMs = 60_000;
const page = readFileSync(join(root, 'docs', 'from-clarifai.md'), 'utf8');

const pageFiles = [...page.matchAll(/`([\w.]+\.(?:yaml|mjs))`[^\n]*\n\n```(?:yaml|js)\n([\s\S]*?)^```$/gm)];
const commands = [...page.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block
    .split(/^\$ /m)
    .filter(Boolean)
    .map((text) => {
      const end = text.indexOf('\n');
      return { command: text.slice(0, end), printed: text.slice(end + 1) };
    }),
);

let folder = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'ebb-from-clarifai-')));
  for (const [, path = '', text = ''] of pageFiles) writeFileSync(join(folder, path), text);
});
afterAll(async () => {
  await ebb(['down']);
  rmSync(folder, { recursive: true, force: true });
}, longestMs);

interface Outcome {
  code: number;
  out: string;
  err: string;
}

function ebb(words: string[]): Promise<Outcome> {
  // `node` of the page's command is the one that runs this test.
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
  const env = { ...process.env, EBB_DATA: join(folder, '.ebb'), NO_COLOR: '1', LANG: 'C.UTF-8', PATH: path };
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...words], { cwd: folder, env, timeout: longestMs }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
    });
  });
}

/** Words of a command line; double quotes hold some together. */
function wordsOf(command: string): string[] {
  return (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
}

/** Without what differs from run to run, in the order of no stream. */
function comparable(text: string): string[] {
  return text
    .replaceAll(folder, '/srv/vision')
    .replace(/after [\d.]+ m?s/, 'after N s')
    .replace(/pid \d+/, 'pid N')
    .replaceAll(/(127\.0\.0\.1):\d+/g, '$1:N')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('waiting for '))
    .sort();
}

test('the page has its files and commands', () => {
  expect(pageFiles.map(([, path]) => path)).toEqual([
    'cluster.yaml',
    'nodepool.yaml',
    'deployment.yaml',
    'serve.mjs',
    'cloud.yaml',
  ]);
  expect(commands.length).toBe(13);
});

describe('one after another', () => {
  test.each(commands)(
    '$command',
    async ({ command, printed }) => {
      const { out, err } = await ebb(wordsOf(command).slice(1));
      expect(comparable(out + err)).toEqual(comparable(printed));
      if (command.startsWith('ebb deployment create')) await answers();
    },
    longestMs,
  );
});

/** The deployment serves requests, and the key of its cluster is nowhere. */
async function answers(): Promise<void> {
  const { out } = await ebb(['get', 'wl', 'detector', '--json']);
  const { status, spec } = JSON.parse(out);
  expect(await (await fetch(status.url)).text()).toBe('nobody\n');
  expect(spec.scaling.policy).toMatchObject({ type: 'clarifai', scaleToZeroDelay: '50s' });
  const everything = await Promise.all(['cl', 'np', 'wl'].map((kind) => ebb(['get', kind, '--json'])));
  expect(everything.map((one) => one.out).join('')).not.toContain('0123456789abcdef');
  const refused = await ebb(['nodepool', 'delete', 'field-lab', 'bench-gpux']);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean "bench-gpu"?') });
  const wrong = await ebb(['nodepool', 'create', '--config', 'cluster.yaml']);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('must have one nodepool (or one NodePool)') });
  const nameless = await ebb(['computecluster', 'create', 'No_Name', '--config', 'cluster.yaml']);
  expect(nameless).toMatchObject({
    code: 2,
    err: expect.stringContaining('metadata.name "No_Name" must be lower-case'),
  });
  // Whatever the order of the files, clusters and pools come before what names them.
  const files = ['deployment.yaml', 'nodepool.yaml', 'cluster.yaml'].flatMap((name) => ['-f', name]);
  expect(await ebb(['delete', '-f', 'nodepool.yaml', '-f', 'cluster.yaml'])).toMatchObject({ code: 0 });
  expect(await ebb(['apply', ...files])).toMatchObject({
    code: 0,
    out: 'cluster/field-lab created\nnodepool/bench-gpu created\nworkload/detector configured\n',
  });
  const deployments = await ebb(['dp', 'ls', 'other', '--json']);
  expect(JSON.parse(deployments.out)).toMatchObject({ kind: 'WorkloadList', items: [] });
  for (const [id, count] of [
    ['field-lab', 1],
    ['other', 0],
  ] as const) {
    const pools = await ebb(['np', 'ls', '--compute_cluster_id', id, '--json']);
    expect(JSON.parse(pools.out).items).toHaveLength(count);
  }
}
