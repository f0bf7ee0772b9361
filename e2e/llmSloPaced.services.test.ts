import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { type RunningEbb, startEbb } from './ebbCommand.ts';
import { llmChat, underLoad } from './llmSlo.fixture.ts';

/**
 * The LLM example's server under real load: callers stream answers through the gateway, the server's own metrics say that
 * first tokens come late, replicas are added, and go again when the callers have gone. With the model itself:
 * `llmSlo.services.test.ts`.
 */
let running: RunningEbb;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-llm-'));
  writeFileSync(join(folder, 'worker.mjs'), pacedWorker);
  running = await startEbb([]);
});

afterAll(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The example's server with an engine that writes a word every 20 ms, one answer at a time: no weights are needed. */
const pacedWorker = `
import { setTimeout as pause } from 'node:timers/promises';
import { ChatServer } from ${JSON.stringify(join(llmChat, 'server/chatServer.ts'))};
const server = new ChatServer({
  model: 'paced', parallel: 1, maxWaiting: 64, defaultMaxTokens: 20, defaultTemperature: 0, log() {},
});
server.useEngine({
  contextTokens: 2048,
  encodeChat: (messages) => messages.map(() => 1),
  encodeText: () => [1],
  generate: (_, __, signal) => ({
    cachedTokens: 0,
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 20 && !signal.aborted; i++) {
        await pause(20);
        yield 'word ';
      }
    },
  }),
});
process.on('SIGTERM', () => void server.stop(5000).then(() => process.exit(0)));
await server.listen(Number(process.env.PORT));
`;

it('an LLM server gets replicas when first tokens are late, and loses them when its callers have gone', async () => {
  await underLoad({ running, name: 'paced', directory: folder, command: '[node, worker.mjs]', aboveMs: 600 });
});
