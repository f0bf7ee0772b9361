// One command for the whole example: brings what running needs, builds Ebb, and starts Kafka, Ebb and the prompt. Plain
// JavaScript that Node 18 and later can run; it hands over to the Node that Ebb runs on.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build, explainOldNode, findNode, install } from '../../tools/launch/node24.mjs';

install('run');
const node = findNode();
if (node === null) {
  console.error(`chatbot-kafka: ${explainOldNode()}`);
  process.exit(1);
}
build(node, undefined, 'packages/cli');

const child = spawn(node, [fileURLToPath(new URL('demo.mjs', import.meta.url)), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child as well; this process only waits for its end. What was sent to this process alone is passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`chatbot-kafka: cannot start ${node}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
