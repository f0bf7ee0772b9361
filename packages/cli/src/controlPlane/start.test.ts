import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isPortFree, portHolder, programName } from './portHolder.ts';
import { lastLines, parseReady } from './start.ts';

test('a taken port names who holds it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    expect(await isPortFree(address.port)).toBe(false);
    expect(portHolder(address.port)).toContain(`(pid ${process.pid})`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await isPortFree(address.port)).toBe(true);
  expect(portHolder(address.port)).toBeNull();
});

test('the ready line is told from others', () => {
  const ready = { event: 'ready', apiUrl: 'http://127.0.0.1:7070', gatewayUrl: 'http://127.0.0.1:8080', pid: 1 };
  expect(parseReady(JSON.stringify(ready))).toEqual({ apiUrl: ready.apiUrl, gatewayUrl: ready.gatewayUrl });
  for (const line of ['', 'ready', '{"event":"starting"}', '{"event":"ready"}', '[]', 'null']) {
    expect(parseReady(line)).toBeNull();
  }
});

test('the last lines of a log are for a person', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-log-'));
  try {
    const file = join(folder, 'log');
    writeFileSync(file, '{"level":30,"msg":"one"}\n{"level":50,"msg":"two"}\nError: three\n');
    expect(lastLines(file, 2)).toEqual(['two', 'Error: three']);
    expect(lastLines(join(folder, 'absent'), 2)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [['/usr/bin/node', '/a/packages/controller/dist/main.js', '--data', '/a/.ebb'], 'another Ebb on /a/.ebb'],
  [['node', '/a/packages/gateway/dist/main.js'], 'another Ebb'],
  [['/usr/bin/node', '/srv/app/server.js', '--x'], 'node server.js'],
  [['/usr/sbin/nginx'], 'nginx'],
  [[], 'a process'],
])('%j is %s', (words, name) => {
  expect(programName(words)).toBe(name);
});
