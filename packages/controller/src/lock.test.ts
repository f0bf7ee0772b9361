import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataDirectory } from './lock.ts';
import { temporaryDirectory } from './temporaryDirectory.fixture.ts';

describe('lockDataDirectory', () => {
  it('refuses a second one and says who holds the folder', () => {
    const path = join(temporaryDirectory(), 'control.lock');
    const lock = lockDataDirectory(path, 1);
    onTestFinished(() => lock.release());
    expect(() => lockDataDirectory(path, 2)).toThrow(new RegExp(`pid ${process.pid}, still starting`));
    lock.describe('http://127.0.0.1:7070');
    expect(() => lockDataDirectory(path, 2)).toThrow(new RegExp(`pid ${process.pid} at http://127.0.0.1:7070`));
  });

  it('is free again after a release', () => {
    const path = join(temporaryDirectory(), 'control.lock');
    lockDataDirectory(path, 1).release();
    lockDataDirectory(path, 2).release();
  });

  it('is held by another process until that one is killed', async () => {
    const path = join(temporaryDirectory(), 'control.lock');
    const script = `
      const { lockDataDirectory } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)});
      lockDataDirectory(${JSON.stringify(path)}, 1);
      console.log('held');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    expect(() => lockDataDirectory(path, 2)).toThrow(new RegExp(`pid ${holder.pid}`));
    expect(() => lockDataDirectory(path, 2)).toThrow(expect.objectContaining({ exit: 'dataDirectoryInUse' }));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockDataDirectory(path, 3).release();
  });
});
