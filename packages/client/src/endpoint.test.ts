import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from './client.ts';
import { readControlFile } from './endpoint.ts';

function dataDirectory(control?: unknown): string {
  const path = mkdtempSync(join(tmpdir(), 'ebb-test-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  writeFileSync(join(path, 'token'), 'ebb_secret\n');
  if (control !== undefined) {
    writeFileSync(join(path, 'control.json'), typeof control === 'string' ? control : JSON.stringify(control));
  }
  return path;
}

const control = {
  pid: process.pid,
  apiUrl: 'http://127.0.0.1:7070',
  gatewayUrl: 'http://127.0.0.1:8080',
  startedAt: 1,
  version: '0.1.0',
};

/** Of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('connect', () => {
  it('reads address and token of a data directory', async () => {
    const client = await connect({ dataDirectory: dataDirectory(control) });
    expect(client.url).toBe('http://127.0.0.1:7070');
    expect(client.pageUrl).toBe('http://127.0.0.1:7070/#token=ebb_secret');
  });

  it('tells a stop from a crash', async () => {
    await expect(connect({ dataDirectory: dataDirectory() })).rejects.toMatchObject({
      name: 'NotRunningError',
      reason: 'stopped',
    });
    const crashed = dataDirectory({ ...control, pid: deadPid() });
    await expect(connect({ dataDirectory: crashed })).rejects.toMatchObject({
      reason: 'crashed',
      dataDirectory: crashed,
    });
  });

  it('takes what is no control file for none', async () => {
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '{"pid":"1"}',
      JSON.stringify({ ...control, pid: 0 }),
      '{"pid":1,"apiUrl":2,"gatewayUrl":""}',
    ]) {
      expect(await readControlFile(dataDirectory(text))).toBeNull();
    }
  });
});
