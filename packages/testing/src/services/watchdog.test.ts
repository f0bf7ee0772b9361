import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { isGroupAlive, signalGroup } from './processGroup.ts';

const watchdog = fileURLToPath(new URL('./watchdog.ts', import.meta.url));

// A service that has a child and ignores every request to end.
const script = `
  import { spawn } from 'node:child_process';
  import { guardGroup, newServiceFolder } from ${JSON.stringify(watchdog)};
  const service = () => spawn('/bin/sh', ['-c', "trap '' TERM INT HUP; sleep 600 & wait; sleep 600"], { detached: true, stdio: 'ignore' });
  const [guarded, released] = [service(), service()];
  const folder = newServiceFolder('test');
  guardGroup(guarded.pid);
  guardGroup(released.pid)();
  console.log(JSON.stringify({ guarded: guarded.pid, released: released.pid, folder }));
`;

interface Started {
  readonly guarded: number;
  readonly released: number;
  readonly folder: string;
}

describe('the watchdog of services', () => {
  let started: Started | undefined;
  const owners: ChildProcess[] = [];

  async function start(ending: string): Promise<Started> {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script + ending], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    owners.push(owner);
    const lines = createInterface({ input: owner.stdout });
    started = JSON.parse(await new Promise<string>((resolve) => lines.once('line', resolve))) as Started;
    return started;
  }

  afterEach(() => {
    for (const owner of owners.splice(0)) owner.kill('SIGKILL');
    for (const group of [started?.guarded, started?.released]) {
      if (group !== undefined) signalGroup(group, 'SIGKILL');
    }
  });

  it.each([
    ['is killed', '', 'SIGKILL'],
    ['is interrupted', '', 'SIGINT'],
    ['exits', 'process.stdin.once("data", () => process.exit(1));', undefined],
  ] as const)('ends a service and its children when the process that started it %s', async (_how, ending, signal) => {
    const { guarded, released, folder } = await start(`${ending} setInterval(() => {}, 1000);`);
    expect(isGroupAlive(guarded)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    const [owner] = owners;
    if (signal) owner?.kill(signal);
    else owner?.stdin?.write('exit\n');
    await expect.poll(() => isGroupAlive(guarded), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
    expect(isGroupAlive(released)).toBe(true);
  });

  it('does not keep a process alive that has nothing else to do', async () => {
    await start('guarded.unref(); released.unref();');
    await expect.poll(() => owners[0]?.exitCode, { timeout: 10_000 }).toBe(0);
  });
});
