import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeContext } from '../context.ts';
import { loadOf } from './load.ts';

test('a measured cold start is the median from asked for to routed, without the wait before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-advise-'));
  try {
    const lines = [4, 2, 9].map((seconds, sequence) => {
      const coldStart = {
        arrivalToAskUs: 5e6,
        askToSpawnUs: 1e6,
        spawnToListenUs: (seconds - 1) * 1e6,
        readyToRouteUs: 0,
      };
      const body = { type: 'routed', replica: 'a', coldStart };
      return JSON.stringify({ sequence, segment: 1, atMs: 0, kind: 'outcome', workload: 'local/default/a', body });
    });
    writeFileSync(join(folder, 'journal.jsonl'), [...lines, 'no record, but "coldStart"'].join('\n'));
    const stream = { write: () => true };
    const context = makeContext({ stdout: stream, stderr: stream, env: {} }, folder);
    const load = await loadOf(context, { journal: 'journal.jsonl', coldStart: 'measured' }, {});
    expect(load).toMatchObject({ coldStart: '4s', basis: 'the median of 3 measured ones' });
    expect(load.trace).toMatchObject({ input: join(folder, 'journal.jsonl') });
    const given = await loadOf(context, { journal: 'journal.jsonl', coldStart: '30s' }, {});
    expect(given).toMatchObject({ coldStart: '30s', basis: 'as --cold-start says' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
