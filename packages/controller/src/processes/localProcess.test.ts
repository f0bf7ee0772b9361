import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '@ebb/link';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryDirectory } from '../temporaryDirectory.fixture.ts';
import { LocalProcess } from './localProcess.ts';

// Listens on the socket and writes its process id where the test finds it, each start a line.
const listener = `
  import { createServer } from 'node:net';
  import { appendFileSync, rmSync } from 'node:fs';
  const [socket, pids] = process.argv.slice(2);
  rmSync(socket, { force: true });
  appendFileSync(pids, process.pid + '\\n');
  createServer(() => {}).listen(socket);
`;

function setUp(script = listener) {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, 'logs'));
  const module = join(folder, 'main.mjs');
  writeFileSync(module, script);
  const [socket, pidFile, logFile] = [join(folder, 'a.sock'), join(folder, 'pids'), join(folder, 'logs', 'agent.log')];
  const pids = (): number[] =>
    existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n').filter(Boolean).map(Number) : [];
  /** Never an id that is missing: 0 would be this very process group. */
  const killFirst = (): void => {
    const [pid] = pids();
    if (!pid) throw new Error('nothing was started');
    process.kill(pid, 'SIGKILL');
  };
  onTestFinished(() => {
    for (const pid of pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  });
  const make = (): LocalProcess => {
    const made = new LocalProcess({
      name: 'agent',
      module,
      args: [socket, pidFile],
      env: process.env,
      logFile,
      socket,
      log: () => {},
    });
    onTestFinished(() => made.leave());
    return made;
  };
  return { make, pids, killFirst, socket, logFile };
}

async function answering(socket: string): Promise<void> {
  await vi.waitFor(async () => expect(await isAlive(socket)).toBe(true), 10_000);
}

describe('LocalProcess', () => {
  it('starts one that is not there and adopts one that is', async () => {
    const { make, pids, socket } = setUp();
    expect(await make().start()).toBe('started');
    await answering(socket);
    expect(await make().start()).toBe('adopted');
    expect(pids()).toHaveLength(1);
  });

  it('starts again what dies', async () => {
    const { make, pids, killFirst, socket } = setUp();
    const one = make();
    await one.start();
    await answering(socket);
    one.watch();
    killFirst();
    await vi.waitFor(() => expect(pids()).toHaveLength(2), 10_000);
  });

  it('starts again an adopted one when its connection breaks', async () => {
    const { make, pids, killFirst, socket } = setUp();
    await make().start();
    await answering(socket);
    const adopter = make();
    await adopter.start();
    adopter.watch();
    adopter.lost();
    killFirst();
    await vi.waitFor(async () => expect(await isAlive(socket)).toBe(false), 10_000);
    adopter.lost();
    await vi.waitFor(() => expect(pids()).toHaveLength(2), 10_000);
  });

  it('leaves alone what it was told to leave', async () => {
    const { make, pids, killFirst, socket } = setUp();
    const one = make();
    await one.start();
    await answering(socket);
    one.watch();
    one.leave();
    killFirst();
    await one.ended();
    one.lost();
    await vi.waitFor(async () => expect(await isAlive(socket)).toBe(false), 10_000);
    expect(pids()).toHaveLength(1);
  });

  it('tells how it ended, with its last words of this start', async () => {
    const { make, logFile } = setUp('console.error("first\\nport 8080 is taken"); process.exitCode = 3;');
    writeFileSync(logFile, 'words of an earlier start\n');
    const one = make();
    await one.start();
    expect(await one.ended()).toEqual({ code: 3, signal: null, lastLine: 'port 8080 is taken' });
    expect(statSync(logFile).size).toBeGreaterThan(40);
  });
});
