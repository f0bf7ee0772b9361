import { until } from '../../workerProcess.ts';
import { ChatServer, type ChatServerOptions } from '../server/chatServer.ts';
import type { RecitingEngine } from './recitingEngine.fixture.ts';

/** A server on a port of its own, and how a client speaks to it. */
export class RunningServer {
  readonly log: string[] = [];
  readonly url: string;
  readonly server: ChatServer;

  private constructor(server: ChatServer, url: string, log: string[]) {
    this.server = server;
    this.url = url;
    this.log = log;
  }

  static async start(engine?: RecitingEngine, options: Partial<ChatServerOptions> = {}): Promise<RunningServer> {
    const log: string[] = [];
    const server = new ChatServer({
      model: 'reciter',
      parallel: 1,
      maxWaiting: 2,
      defaultMaxTokens: 20,
      defaultTemperature: 0.2,
      log: (line) => log.push(line),
      ...options,
    });
    if (engine) server.useEngine(engine);
    return new RunningServer(server, await server.listen(0), log);
  }

  post(path: string, body: unknown, signal: AbortSignal | null = null): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal,
    });
  }

  chat(fields: Record<string, unknown> = {}, signal: AbortSignal | null = null): Promise<Response> {
    return this.post(
      '/v1/chat/completions',
      { messages: [{ role: 'user', content: 'please recite' }], ...fields },
      signal,
    );
  }

  /** The value of a metric, by name and labels as a scrape shows them. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const own = text.replaceAll(/model_name="reciter",?/g, '').replaceAll('{}', '');
    const line = own.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`there is no ${name} in\n${text}`);
    return Number(line.split(' ').at(-1));
  }

  /** Waits until a metric has a value. */
  async reaches(name: string, value: number): Promise<void> {
    await until(
      async () => (await this.metric(name)) === value,
      5_000,
      () => `${name} is not ${value}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(0);
  }
}

/** The events of a streamed answer: parsed, and `[DONE]` as it is. */
export async function readEvents(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((event) => event.replace(/^data: /, ''))
    .map((data) => (data === '[DONE]' ? data : (JSON.parse(data) as unknown)));
}
