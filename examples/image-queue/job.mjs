// The command of a Job: takes ONE message from the queue `tasks`, makes its picture, stores it, acknowledges, and ends.
// `node job.mjs` runs the model of ../upscaler; `node job.mjs PROGRAM ARGUMENT…` runs a program of yours (README.md).
import * as nodeModule from 'node:module';

if (!process.features.typescript) {
  console.error(
    `image-queue: needs Node 22.18 or newer, this is ${process.versions.node}. Under Ebb, \`node\` is always new enough.`,
  );
  process.exit(1);
}
// Every message starts a process: the second one need not compile what the first one did.
nodeModule.enableCompileCache?.();
const { main } = await import('./job/main.ts');
await main(process.argv.slice(2), process.env);
