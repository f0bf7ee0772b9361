// `npm start`: brings what running needs, builds, and starts Ebb with the examples in front. Plain JavaScript that Node 18
// and later can run. Arguments go to `ebb up`: `npm start -- --demo`, `npm start -- --gateway-port 9000`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, explainOldNode, findNode, install, root } from './node24.mjs';

// npm itself took its time before it came to this file; the process knows when it began, npm tells nothing more.
const startedAtMs = Date.now() - Math.round(performance.now());

const examples = ['examples/upscaler/workload.yaml', 'examples/hello/node/workload.yaml'];
const log = (line) => process.stderr.write(`${line}\n`);

const installMs = install('run', log);
const node = findNode();
if (node === null) {
  log(`ebb: ${explainOldNode()}`);
  process.exit(1);
}
const buildMs = build(node, log);
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
