import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, WorkerProcess } from '../workerProcess.ts';
import { readEvents } from './testing/runningServer.fixture.ts';

const folder = new URL('./', import.meta.url);
const start = (environment: Record<string, string> = {}) =>
  new WorkerProcess(folder, process.execPath, ['worker.mjs'], environment);

it('says what to do when there is no model', async () => {
  await using worker = start({ MODEL: 'models/none.gguf' });
  expect(await worker.exited).toEqual({ code: 2, signal: null });
  expect(worker.lines.join('\n')).toContain('there is no model at models/none.gguf: run "npm run setup"');
});

// The rest needs what `npm run setup` brings, which nothing else in this repository does.
const isSetUp = ['models/SmolLM2-135M-Instruct.Q4_1.gguf', 'node_modules/node-llama-cpp'].every((path) =>
  existsSync(new URL(path, folder)),
);

describe.skipIf(!isSetUp)('the model (npm run setup brings it)', () => {
  const question = { messages: [{ role: 'user', content: 'What is the capital of France?' }] };
  let worker: WorkerProcess;
  let url: string;

  beforeAll(async () => {
    worker = start({ PARALLEL: '2' });
    url = await worker.url;
    await readyAt(url);
  });
  afterAll(() => worker?.[Symbol.asyncDispose]());

  /** `WorkerProcess.ready` asks whether it is alive, which it is before its weights are loaded. */
  const readyAt = (at: string) =>
    until(
      async () => (await fetch(`${at}/readyz`)).status === 200,
      60_000,
      () => worker.lines.join('\n'),
    );

  const ask = async (fields: object, at = url) => {
    const body = JSON.stringify({ ...question, ...fields });
    return fetch(`${at}/v1/chat/completions`, { method: 'POST', body });
  };
  const textOf = async (fields: object) => {
    const answer = (await (await ask(fields)).json()) as {
      choices: { message: { content: string } }[];
      usage: { completion_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
    return { text: answer.choices[0]?.message.content, usage: answer.usage };
  };

  it('knows the capital of France, and finds the question in its cache the second time', async () => {
    const first = await textOf({});
    const second = await textOf({});
    expect([first.text, second.text]).toEqual(Array(2).fill('The capital of France is Paris.'));
    expect(second.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(20);
  });

  it('writes the same text streamed and whole, with several at once', async () => {
    const asked = {
      messages: [{ role: 'user', content: 'Say hello in Greek and Japanese: Γειά σου, こんにちは 👋' }],
      max_tokens: 40,
    };
    const [whole, response] = await Promise.all([textOf(asked), ask({ ...asked, stream: true })]);
    const events = (await readEvents(response)).slice(0, -1) as { choices: { delta: { content?: string } }[] }[];
    expect(events.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(whole.text);
    expect(whole.text).not.toContain('\ufffd');
  });

  it('repeats itself with the same seed, and only then', async () => {
    const sampled = { temperature: 1.2, max_tokens: 24 };
    const texts = await Promise.all([1, 1, 2].map(async (seed) => (await textOf({ ...sampled, seed })).text));
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
  });

  it('finishes what it writes when told to stop, and ends well', async () => {
    await using own = start();
    const ownUrl = await own.url;
    await readyAt(ownUrl);
    const response = await ask(
      { messages: [{ role: 'user', content: 'Tell a long story.' }], stream: true, max_tokens: 60 },
      ownUrl,
    );
    own.kill('SIGTERM');
    expect((await readEvents(response)).at(-1)).toBe('[DONE]');
    expect(await own.exited).toEqual({ code: 0, signal: null });
  });
});
