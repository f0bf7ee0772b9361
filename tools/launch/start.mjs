// `npm start`: brings what running needs, builds, and starts Ebb with the examples in front. Plain JavaScript that Node 18
// and later can run. Arguments go to `ebb up`: `npm start -- --demo`, `npm start -- --gateway-port 9000`.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, explainOldNode, findNode, install, root } from './node24.mjs';

/** Wall-clock milliseconds at which the command began: of npm, which ran for a while before it came to this file. */
function commandBeganAtMs() {
  const thisBeganAtMs = Date.now() - Math.round(performance.now());
  if (!process.env.npm_lifecycle_event) return thisBeganAtMs;
  try {
    for (let pid = process.ppid, level = 0; pid > 1 && level < 3; level += 1) {
      // Fields after the name in parentheses: 2 is the parent, 20 the start in hundredths of a second since the boot.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
      if (/\bnpm\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) {
        const upMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
        return Math.min(thisBeganAtMs, Math.round(Date.now() - upMs + Number(fields[19]) * 10));
      }
      pid = Number(fields[1]);
    }
  } catch {
    // No /proc on this system: npm's own share stays uncounted.
  }
  return thisBeganAtMs;
}

const startedAtMs = commandBeganAtMs();

const examples = ['examples/upscaler/workload.yaml', 'examples/hello/node/workload.yaml'];
const log = (line) => process.stderr.write(`${line}\n`);

const installMs = install('run', log);
const node = findNode();
if (node === null) {
  log(`ebb: ${explainOldNode()}`);
  process.exit(1);
}
// Not everything: what only tests need was not installed.
const buildMs = build(node, log, 'packages/cli');
if (installMs > 0) log(`installed in ${(installMs / 1000).toFixed(1)} s`);
log(`built in ${(buildMs / 1000).toFixed(1)} s`);

const given = process.argv.slice(2);
const files = examples.filter((file) => existsSync(join(root, file)));
const data = given.some((word) => word === '--data' || word.startsWith('--data=')) ? [] : ['--data', '.ebb'];
const child = spawn(node, [join(root, 'packages', 'cli', 'bin', 'ebb.mjs'), 'up', ...files, ...data, ...given], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, EBB_LAUNCH: JSON.stringify({ startedAtMs, installMs, buildMs }) },
});

// Ctrl-C reaches the child as well; this process only waits for its end. What was sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  log(`ebb: cannot start ${node}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
