import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface ModelSettings {
  /** Path of a GGUF file. */
  modelPath: string;
  /** Sequences: how many generations may run at once. Each has a cache of `contextTokens`. */
  parallel: number;
  contextTokens: number;
  /** Threads that compute, for all sequences together. */
  threads: number;
  /** Goes before conversations that have no system message; empty: the model's template decides. */
  systemMessage: string;
  gpu: 'auto' | 'cuda' | 'vulkan' | 'metal' | 'off';
}

export interface Settings extends ModelSettings {
  port: number;
  /** What callers name the model. */
  modelName: string;
  maxWaiting: number;
  maxTokens: number;
  temperature: number;
  graceSeconds: number;
}

/** Whoever starts the server gave a setting that cannot be. */
export class SettingError extends Error {}

/** Every setting is a flag and a variable of the environment: `--max-waiting`, `MAX_WAITING`. The flag wins. */
const table = {
  port: { default: '8090', says: 'listens on 127.0.0.1; 0: any free port' },
  model: { default: '', says: 'GGUF file; left out: the one that setup brought' },
  'model-name': { default: '', says: 'what callers name it; left out: from the file' },
  parallel: { default: '1', says: 'answers generated at once' },
  'max-waiting': { default: '16', says: 'requests that may wait beyond those' },
  context: { default: '2048', says: 'tokens of a prompt and its answer together' },
  threads: { default: '1', says: 'threads that compute' },
  'max-tokens': { default: '256', says: 'length of an answer to a chat that names none' },
  temperature: { default: '0', says: 'of requests that name none' },
  system: { default: '', says: 'system message of conversations that have none' },
  gpu: { default: 'off', says: 'off, auto, cuda, vulkan or metal' },
  grace: { default: '25', says: 'seconds to finish what runs after SIGTERM' },
};

const broughtModel = fileURLToPath(new URL('../models/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url));
/** With the one that its own template puts in, this model cannot say what the capital of France is. */
const broughtModelsSystemMessage = 'You are a helpful assistant.';

type Name = keyof typeof table;
const names = Object.keys(table) as Name[];
const gpus = ['off', 'auto', 'cuda', 'vulkan', 'metal'] as const;

/** Reads flags and environment. Throws `SettingError`; null when help was asked for. */
export function readSettings(args: string[], environment: Record<string, string | undefined>): Settings | null {
  const flags = readFlags(args);
  if (flags['help'] === true) return null;
  const text = (name: Name) => {
    const flag = flags[name];
    return typeof flag === 'string' ? flag : (environment[variable(name)] ?? table[name].default);
  };
  const number = (name: Name, least: number, most: number, whole = true) => {
    const value = Number(text(name));
    if (text(name).trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value)))
      return value;
    const kind = whole ? 'a whole number' : 'a number';
    throw new SettingError(
      `--${name} (${variable(name)}) must be ${kind} from ${least} to ${most}, not "${text(name)}"`,
    );
  };
  const gpu = gpus.find((known) => known === text('gpu'));
  if (!gpu) throw new SettingError(`--gpu (GPU) must be one of ${gpus.join(', ')}, not "${text('gpu')}"`);
  const modelPath = text('model') || broughtModel;
  return {
    port: number('port', 0, 65_535),
    modelPath,
    modelName: text('model-name') || nameOf(modelPath),
    parallel: number('parallel', 1, 64),
    maxWaiting: number('max-waiting', 0, 10_000),
    contextTokens: number('context', 128, 1_048_576),
    threads: number('threads', 1, 256),
    maxTokens: number('max-tokens', 1, 1_048_576),
    systemMessage: text('system') || (modelPath === broughtModel ? broughtModelsSystemMessage : ''),
    temperature: number('temperature', 0, 2, false),
    graceSeconds: number('grace', 0, 3600),
    gpu,
  };
}

function readFlags(args: string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    throw new SettingError((error as Error).message);
  }
}

/** How the settings are given. */
export function settingsHelp(): string {
  const lines = names.map((name) => {
    const { default: value, says } = table[name];
    return `  --${name.padEnd(12)} ${variable(name).padEnd(12)} ${says}${value ? ` (${value})` : ''}`;
  });
  return `node worker.mjs [flags]: serves a language model over an OpenAI-compatible API.\n\n${lines.join('\n')}\n`;
}

const variable = (name: string) => name.toUpperCase().replaceAll('-', '_');

/** `SmolLM2-135M-Instruct.Q4_1.gguf` is `smollm2-135m-instruct`. */
function nameOf(path: string): string {
  return basename(path)
    .replace(/\.gguf$/i, '')
    .replace(/[.-](i?q\d\w*|bf16|f16|f32)$/i, '')
    .toLowerCase();
}
