import type { Lease } from '../runtime/connections.ts';
import type { ScalerContext } from '../contract/source.ts';
import { type Account, accountKey, brokerOptions } from './account.ts';
import { Brokers } from './brokers.ts';
import { LogTail } from './logTail.ts';
import { Offsets } from './offsets.ts';
import { Questions } from './questions.ts';

/** One cluster as one account sees it, shared by all triggers that name both. Connects on the first question. */
export interface Cluster {
  /** Its bootstrap servers, for messages. */
  readonly where: string;
  readonly questions: Questions;
  readonly tail: LogTail;
}

type Context = Pick<ScalerContext, 'connections' | 'timeoutMs' | 'nowMs'>;

/** Throws `SourceError` for certificates that cannot be used. */
export function leaseCluster(account: Account, context: Context): Lease<Cluster> {
  return context.connections.lease(
    `kafka ${accountKey(account)} ${context.timeoutMs}`,
    () => new SharedCluster(account, context),
    (cluster) => cluster.close(),
  );
}

class SharedCluster implements Cluster {
  readonly where: string;
  readonly questions: Questions;
  readonly tail: LogTail;
  readonly #brokers: Brokers;
  readonly #closeSignIn: () => Promise<void>;

  constructor(account: Account, context: Context) {
    const nowMs = () => context.nowMs();
    const { options, close } = brokerOptions(account, context);
    this.#closeSignIn = close;
    this.#brokers = new Brokers(account.bootstrapServers, options);
    this.where = this.#brokers.where;
    const offsets = new Offsets(this.#brokers, nowMs);
    this.questions = new Questions(offsets, this.where);
    const leader = (topic: string, partition: number) => offsets.topics.leader(topic, partition);
    this.tail = new LogTail(this.#brokers, leader, { timeoutMs: context.timeoutMs, nowMs });
  }

  close(): Promise<void> {
    this.questions.close();
    this.tail.close();
    this.#brokers.close();
    return this.#closeSignIn();
  }
}
