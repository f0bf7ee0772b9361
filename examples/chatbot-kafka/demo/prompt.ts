import { createInterface } from 'node:readline/promises';
import type { Asked, Desk } from './desk.ts';

export interface PromptActions {
  readonly desk: Desk;
  pause(): Promise<void>;
  resume(): Promise<void>;
  why(): string;
}

const help = 'type a question; /burst N asks the last one N times, /pause and /resume set the annotation, /why, /quit';

export interface Prompt {
  /** Prints a line above what is being typed. */
  tell(line: string): void;
  run(actions: PromptActions): Promise<void>;
  close(): void;
}

/** A prompt in the terminal. */
export function openPrompt(): Prompt {
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  // From now on: what is typed while the rest is still starting is not lost.
  const typed = lines[Symbol.asyncIterator]();
  let isAsking = true;
  const tell = (line: string) => {
    process.stdout.write(`\r\u001b[K${line}\n`);
    if (!isAsking) lines.prompt(true);
  };
  // Ctrl-C ends the whole, as everywhere; readline would keep it to itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  return {
    tell,
    close: () => lines.close(),
    async run(actions) {
      let last = 'What is Kafka?';
      tell(help);
      isAsking = false;
      lines.prompt();
      for await (const line of typed) {
        const text = line.trim();
        isAsking = true;
        if (text === '/quit') break;
        if (text !== '' && !text.startsWith('/')) last = text;
        await act(text, last, actions, tell);
        isAsking = false;
        lines.prompt();
      }
    },
  };
}

async function act(text: string, last: string, actions: PromptActions, tell: (line: string) => void): Promise<void> {
  const [command, number] = text.split(/\s+/);
  if (text === '') return;
  if (command === '/pause') {
    await actions.pause();
    tell('paused-replicas: "0" is on: the consumers go, questions wait. /resume takes it away.');
  } else if (command === '/resume') await actions.resume();
  else if (command === '/why') tell(actions.why());
  else if (command === '/burst') {
    const times = Math.min(Math.max(Number(number) || 20, 1), 10_000);
    tell(`asking "${last}" ${times} times`);
    const answers = Array.from({ length: times }, (_, index) => actions.desk.ask(`${last} (${index + 1})`));
    Promise.all(answers).then(
      () => tell(`all ${times} are answered`),
      (error: Error) => tell(error.message),
    );
  } else if (text.startsWith('/')) tell(help);
  else await showAnswer(actions.desk, text);
}

async function showAnswer(desk: Desk, question: string): Promise<void> {
  const asked = await desk.ask(question, (piece, restarts) => {
    process.stdout.write(restarts ? `\n(its consumer is gone; asked again)\n${piece}` : piece);
  });
  process.stdout.write(asked.error === null ? '\n' : `no answer: ${asked.error}\n`);
  process.stdout.write(`(${timesOf(asked)}, by ${asked.by})\n`);
}

function timesOf({ firstPieceMs, doneMs }: Asked): string {
  const all = `done after ${doneMs} ms`;
  return firstPieceMs === null ? all : `first words after ${firstPieceMs} ms, ${all}`;
}
