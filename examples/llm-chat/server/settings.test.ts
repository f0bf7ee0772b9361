import { expect, it } from 'vitest';
import { readSettings, settingsHelp } from './settings.ts';

it('takes flags before the environment, and the environment before its own', () => {
  const settings = readSettings(['--parallel', '4'], { PARALLEL: '2', MAX_WAITING: '0', PORT: '9000' });
  expect(settings).toMatchObject({ parallel: 4, maxWaiting: 0, port: 9000, threads: 1 });
});

it.each([
  ['/models/SmolLM2-135M-Instruct.Q4_1.gguf', 'smollm2-135m-instruct'],
  ['Qwen2.5-0.5B-Instruct-Q4_K_M.gguf', 'qwen2.5-0.5b-instruct'],
  ['gemma-3-1b-it-BF16.gguf', 'gemma-3-1b-it'],
  ['my-model.gguf', 'my-model'],
])('names %s %s', (MODEL, name) => {
  expect(readSettings([], { MODEL })).toMatchObject({ modelName: name, modelPath: MODEL });
  expect(readSettings(['--model-name', 'chat'], { MODEL })).toMatchObject({ modelName: 'chat' });
});

it.each([
  [['--port', 'http'], '--port (PORT) must be a whole number from 0 to 65535, not "http"'],
  [['--parallel', '0'], 'from 1 to 64, not "0"'],
  [['--context', ''], '--context (CONTEXT) must be'],
  [['--gpu', 'rocm'], 'one of off, auto, cuda, vulkan, metal, not "rocm"'],
  [['--modle', 'x'], "Unknown option '--modle'"],
])('refuses %j', (args, says) => {
  expect(() => readSettings(args, {})).toThrow(says);
});

it('explains each flag', () => {
  expect(readSettings(['--help'], {})).toBeNull();
  expect(settingsHelp()).toMatch(/--max-waiting\s+MAX_WAITING/);
});
