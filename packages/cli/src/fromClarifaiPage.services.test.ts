import { describe, expect, test } from 'vitest';
import { livePage, wordsOf } from './docsPage.fixture.ts';

/** The real command, as built, with a real control plane: what the page shows is what it prints. */
const longestMs = 60_000;
const { files, commands, ebb, asOnPage } = livePage('from-clarifai.md', longestMs);

/** Without what differs from run to run, in the order of no stream. */
function comparable(text: string): string[] {
  return asOnPage(text)
    .replace(/pid \d+/, 'pid N')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('waiting for '))
    .sort();
}

test('the page has its files and commands', () => {
  expect([...files.keys()]).toEqual(['cluster.yaml', 'nodepool.yaml', 'deployment.yaml', 'serve.mjs', 'cloud.yaml']);
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
