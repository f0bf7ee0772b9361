import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type RunningEbb, startEbb } from './ebbCommand.ts';
import { llmChat, underLoad } from './llmSlo.fixture.ts';

// What `npm run setup` brings, which nothing else in this repository needs.
const isSetUp = ['models/SmolLM2-135M-Instruct.Q4_1.gguf', 'node_modules/node-llama-cpp'].every((path) =>
  existsSync(join(llmChat, path)),
);

describe.skipIf(!isSetUp)('the llm-chat example with its model', () => {
  let running: RunningEbb;
  beforeAll(async () => {
    running = await startEbb([]);
  });
  afterAll(() => running?.stop());

  it('gets a replica when first tokens are late, and loses it when its callers have gone', async () => {
    await underLoad({
      running,
      name: 'smol',
      directory: llmChat,
      command: '[node, worker.mjs]',
      env: '{ PARALLEL: "1", THREADS: "1", MAX_WAITING: "64" }',
      aboveMs: 400,
    });
  });
});
