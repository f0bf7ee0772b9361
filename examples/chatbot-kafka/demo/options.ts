import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const usage = `node examples/chatbot-kafka/start.mjs [flags]    (without --ask: a prompt that takes questions)

  --ask TEXT          ask this and end when it is answered; exit code 1 when an answer is an error
  --times N           ask it so often at once (1)
  --until-rest        with --ask: end when the consumers are back at their least number
  --small             at least 1 and at most 4 consumers in the place of 5 and 100
  --reactive          with Ebb's own rules (annotation ebb.dev/improvements) in the place of KEDA's polls and syncs
  --answerer echo     consumers repeat the question: no model is needed
  --echo-delay MS     how long an echo takes (200)
  --bootstrap SERVERS use this Kafka (host:port with commas between) and start none
  --partitions N      of the topic of questions, where it is not there yet (12)
  --data DIR          keep Ebb's journal there (.ebb in this folder)
`;

/** The command line cannot be used. */
export class UsageError extends Error {}

export interface Options {
  /** Null: a prompt. */
  readonly ask: string | null;
  readonly times: number;
  readonly untilRest: boolean;
  readonly small: boolean;
  readonly reactive: boolean;
  readonly answerer: 'llm' | 'echo';
  readonly echoDelayMs: number;
  /** Null: Kafka is started. */
  readonly bootstrapServers: string | null;
  readonly partitions: number;
  readonly dataDirectory: string;
}

const flags = {
  ask: { type: 'string' },
  times: { type: 'string', default: '1' },
  'until-rest': { type: 'boolean', default: false },
  small: { type: 'boolean', default: false },
  reactive: { type: 'boolean', default: false },
  answerer: { type: 'string', default: 'llm' },
  'echo-delay': { type: 'string', default: '200' },
  bootstrap: { type: 'string' },
  partitions: { type: 'string', default: '12' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Null: help was asked for. Throws `UsageError`. */
export function readOptions(args: string[]): Options | null {
  const values = parse(args);
  if (values.help) return null;
  const { answerer } = values;
  if (answerer !== 'llm' && answerer !== 'echo') throw new UsageError(`--answerer is llm or echo, found "${answerer}"`);
  if (values.ask?.trim() === '') throw new UsageError('--ask needs a question');
  return {
    ask: values.ask ?? null,
    times: wholeNumber('--times', values.times, 1, 100_000),
    untilRest: values['until-rest'],
    small: values.small,
    reactive: values.reactive,
    answerer,
    echoDelayMs: wholeNumber('--echo-delay', values['echo-delay'], 0, 600_000),
    bootstrapServers: values.bootstrap ?? null,
    partitions: wholeNumber('--partitions', values.partitions, 1, 1_000),
    dataDirectory: values.data ? resolve(values.data) : fileURLToPath(new URL('../.ebb', import.meta.url)),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: flags }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${flag} takes a whole number from ${least} to ${most}, found "${text}"`);
}
