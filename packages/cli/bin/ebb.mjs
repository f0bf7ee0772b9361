#!/usr/bin/env node
// Plain JavaScript that an old Node can parse. It finds a Node that can run Ebb, then hands over to the built command.
import { spawn } from 'child_process';
import { existsSync } from 'fs';
import * as nodeModule from 'module';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';
import { getHeapSpaceStatistics, setFlagsFromString } from 'v8';

const here = dirname(fileURLToPath(import.meta.url));
const entry = join(here, '..', 'dist', 'index.js');

function isNewEnough() {
  const parts = process.versions.node.split('.').map(Number);
  return parts[0] > 22 || (parts[0] === 22 && parts[1] >= 22);
}

/** The Node that npm brought as a package of this platform, looked for upwards from this file; null where there is none. */
function findBroughtNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node-' + process.platform + '-' + process.arch, 'bin', 'node');
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

function refuse(line) {
  process.stderr.write('ebb: ' + line + '\n');
  process.exit(1);
}

function runWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well: wait for it. What was sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse('cannot start ' + node + ': ' + error.message));
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exit(code === null ? 1 : code);
    }
  });
}

const newSpaceBytes = 8 * 1024 * 1024;

/**
 * What is decided for thousands of objects lives long or ends at once. V8's space for new objects would grow to 100 MB and
 * stay there: it grows to 8 MB here, by objects made for that alone, and not on. To be called before anything is loaded.
 */
function keepSmall() {
  setFlagsFromString('--semi-space-growth-factor=2');
  const isSmall = () =>
    getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size < newSpaceBytes;
  for (let kept = [], round = 0; isSmall() && round < 1000; round++) {
    for (let count = 0; count < 20; count++) kept.push(new Array(100).fill(round));
  }
  setFlagsFromString('--semi-space-growth-factor=1');
}

async function runHere() {
  if (process.argv[2] === 'operator') keepSmall();
  if (!existsSync(entry)) {
    refuse('it is not built yet: run `npm start` (or `npm run build`) in the folder of the repository first.');
  }
  if (typeof nodeModule.enableCompileCache === 'function') nodeModule.enableCompileCache();
  const { main } = await import('../dist/index.js');
  // A reader or a terminal that went away (`ebb logs | head`) is no error worth a stack trace, but the sign to end: at
  // once, or, where something was started, as cleanly as for a hang-up.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      if (!process.emit('SIGHUP', 'SIGHUP')) process.exit(0);
    });
  }
  process.exitCode = await main(process.argv.slice(2), process, process.cwd());
}

if (isNewEnough()) {
  void runHere();
} else {
  const node = findBroughtNode();
  if (node === null) {
    refuse(
      'Ebb runs on Node 22.22 or newer, this is ' +
        process.versions.node +
        ': run `npm install` in the folder of the repository (it brings one), or install Node 24.',
    );
  }
  runWith(node);
}
