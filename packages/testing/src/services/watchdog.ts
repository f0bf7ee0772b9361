import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Reads `start <group>` and `end <group>` until the pipe closes. The kernel closes it when this process ends, however it
// ends: then every group still running is killed and the folder of all services is removed. No signal ends it early.
const script = `
trap '' INT TERM HUP
groups=
while read -r event group; do
  case $event in
    start) groups="$groups $group" ;;
    end)
      left=
      for other in $groups; do [ "$other" = "$group" ] || left="$left $other"; done
      groups=$left
      ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" 2>/dev/null && break
  sleep 0.1
done
`;

interface Watchdog {
  readonly folder: string;
  readonly child: ChildProcess;
}

let running: Watchdog | undefined;

function watchdog(): Watchdog {
  if (running) return running;
  const folder = mkdtempSync(join(tmpdir(), 'ebb-services-'));
  // Databases that refuse to run as root run as another user, who must be able to reach their folder in this one.
  chmodSync(folder, 0o711);
  const child = spawn('/bin/sh', ['-c', script, 'ebb-services-watchdog', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  (child.stdin as Socket).unref();
  running = { folder, child };
  return running;
}

/** A new folder for one service. It disappears with this process at the latest. */
export function newServiceFolder(name: string): string {
  return mkdtempSync(join(watchdog().folder, `${name}-`));
}

/** From now until the returned function is called, the process group `pid` does not outlive this process. */
export function guardGroup(pid: number): () => void {
  const { child } = watchdog();
  child.stdin?.write(`start ${pid}\n`);
  return () => child.stdin?.write(`end ${pid}\n`);
}
