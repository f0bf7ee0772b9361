import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BoardState } from '../server/board.ts';

const server = fileURLToPath(new URL('../server.mjs', import.meta.url));
const samples = new URL('../../upscaler/images/', import.meta.url);

/** The example as a user runs it: broker, Ebb and page, each a process of its own. */
export class RunningExample {
  readonly url: string;
  readonly amqpUrl: string;
  readonly #child: ChildProcess;
  readonly #lines: string[];

  private constructor(url: string, amqpUrl: string, child: ChildProcess, lines: string[]) {
    this.url = url;
    this.amqpUrl = amqpUrl;
    this.#child = child;
    this.#lines = lines;
  }

  /** `amqpUrl`: of a broker that was started already. */
  static async start(amqpUrl: string, args: string[] = []): Promise<RunningExample> {
    const child = spawn(process.execPath, [server, '--port', '0', '--amqp', amqpUrl, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          lines.push(line);
          const found = /^ {2}page +(\S+)$/.exec(line)?.[1];
          if (found) resolve(found);
        });
      }
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`the example ended:\n${lines.join('\n')}`)));
    });
    return new RunningExample(url, amqpUrl, child, lines);
  }

  async state(): Promise<BoardState> {
    return (await (await fetch(`${this.url}/state`)).json()) as BoardState;
  }

  /** Sends a picture; its id. */
  async submit(bytes: Buffer, name: string, type = 'image/png'): Promise<string> {
    const response = await fetch(`${this.url}/pictures`, {
      method: 'POST',
      headers: { 'content-type': type, 'x-name': encodeURIComponent(name) },
      body: new Uint8Array(bytes),
    });
    const answer = (await response.json()) as { id?: string; message?: string };
    if (!answer.id) throw new Error(`${response.status}: ${answer.message}`);
    return answer.id;
  }

  async result(id: string): Promise<Buffer> {
    const response = await fetch(`${this.url}/pictures/${id}/result`);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Reads every state that the page would see until one is as asked; the test's own time-out bounds it. */
  async until(
    holds: (state: BoardState) => boolean,
    seen: (state: BoardState) => void = () => {},
  ): Promise<BoardState> {
    const stop = new AbortController();
    try {
      const response = await fetch(`${this.url}/events`, { signal: stop.signal });
      const events = response.body?.pipeThrough(new TextDecoderStream());
      let text = '';
      for await (const part of events ?? []) {
        text += part;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          if (!block.startsWith('data: ')) continue;
          const state = JSON.parse(block.slice(6)) as BoardState;
          seen(state);
          if (holds(state)) return state;
        }
      }
      throw new Error(`the page ended:\n${this.#lines.join('\n')}`);
    } finally {
      stop.abort();
    }
  }

  /** As Ctrl-C does; the exit status. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exited = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGINT');
    return exited;
  }
}

export function samplePicture(name: string): Buffer {
  return readFileSync(new URL(name, samples));
}
