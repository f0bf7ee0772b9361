import type { Client } from '@ebb/client';
import type { WorkloadStatus } from '@ebb/documents';
import type { Admin } from '@platformatic/kafka';
import { readLag } from './topics.ts';

const everyMs = 500;

export interface Sight {
  readonly lag: number;
  readonly consumers: WorkloadStatus['replicas'];
  readonly consumersLeast: number;
  readonly models: WorkloadStatus['replicas'] | null;
  /** Why there are so many consumers. */
  readonly why: string;
}

/** Looks at the lag and the replicas again and again, and tells what has changed. */
export class Narrator {
  readonly #client: Client;
  readonly #admin: Admin;
  readonly #partitions: number;
  readonly #tell: (line: string) => void;
  readonly #startedAtMs = performance.now();
  readonly #waiting = new Set<{ holds: (sight: Sight) => boolean; done: () => void }>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #told = '';
  sight: Sight | null = null;
  most = { lag: 0, consumers: 0, models: 0 };

  constructor(client: Client, admin: Admin, partitions: number, tell: (line: string) => void) {
    this.#client = client;
    this.#admin = admin;
    this.#partitions = partitions;
    this.#tell = tell;
  }

  start(): void {
    void this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** Waits until what is seen is as asked. */
  until(holds: (sight: Sight) => boolean): Promise<void> {
    return new Promise((done) => this.#waiting.add({ holds, done }));
  }

  async #look(): Promise<void> {
    try {
      this.#see(await this.#read());
    } catch {
      // A look that failed is made up for by the next one; whoever waits goes on waiting.
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#look(), everyMs);
  }

  async #read(): Promise<Sight | null> {
    const [lag, consumer, model] = await Promise.all([
      readLag(this.#admin, this.#partitions),
      this.#client.workloadStatus('chatbot'),
      this.#client.workloadStatus('llm-chat'),
    ]);
    if (!consumer) return null;
    return {
      lag,
      consumers: consumer.replicas,
      consumersLeast: consumer.minReplicas,
      models: model?.replicas ?? null,
      why: this.#whyOf(consumer),
    };
  }

  /** Between two syncs of the HPA what the last one said still holds. */
  #whyOf({ decision }: WorkloadStatus): string {
    const isBetween = decision?.reasons.some(({ code }) => code === 'hpa-between-syncs') ?? true;
    return isBetween ? (this.sight?.why ?? '') : (decision?.summary ?? '');
  }

  #see(sight: Sight | null): void {
    if (!sight || this.#isStopped) return;
    this.sight = sight;
    this.most = {
      lag: Math.max(this.most.lag, sight.lag),
      consumers: Math.max(this.most.consumers, sight.consumers.ready),
      models: Math.max(this.most.models, sight.models?.ready ?? 0),
    };
    const { consumers, models } = sight;
    // The lag alone changes with every answer: it is told with what it changes.
    const state = `${counts('chatbot', consumers)}${models ? `   ${counts('llm-chat', models)}` : ''}`;
    const news = `${state}   ${sight.why}`;
    if (news !== this.#told) {
      this.#told = news;
      const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1).padStart(6);
      this.#tell(`${seconds} s   lag ${String(sight.lag).padStart(3)}   ${state}\n           ${sight.why}`);
    }
    for (const waiting of this.#waiting) {
      if (!waiting.holds(sight)) continue;
      this.#waiting.delete(waiting);
      waiting.done();
    }
  }
}

function counts(name: string, { wanted, ready }: WorkloadStatus['replicas']): string {
  return `${name} ${ready} of ${wanted} ready`;
}
