import type { Clock, StateStore, TriggerPort } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { Engine } from '@ebb/engine';
import type { KubernetesClient } from '../client/client.ts';
import type { InformerEvent } from '../informer/informer.ts';
import type { ClusterView } from '../operator/cluster.ts';
import { keyOf } from '../operator/documents.ts';
import { AdviceBook } from './adviceBook.ts';
import { AdviceDriver } from './adviceDriver.ts';
import { AdvisedJobs, type RunsPart } from './advisedJobs.ts';
import type { Comparison } from './comparison.ts';
import { hpaOfClaim } from './hpaDocument.ts';
import { HpaTriggers } from './hpaTriggers.ts';
import { ModeDriver, type PartDriver } from './modeDriver.ts';

export interface AdvisingOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly view: ClusterView;
  /** What is done for targets that Ebb is in charge of. */
  readonly control: PartDriver;
  readonly adopted: { readonly class: string; readonly revision: string };
  readonly state: Pick<StateStore, 'save' | 'load'>;
  readonly epoch: number;
  readonly configMap: { readonly namespace: string; readonly name: string };
  readonly gapMs?: number;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** Advice in one time of leading: the drivers, the metrics of HPAs, and the book of what would have been done. */
export class Advising {
  readonly driver: ModeDriver;
  readonly #advice: AdviceDriver;
  readonly #book: AdviceBook;
  readonly #options: AdvisingOptions;
  #engine: Engine | null = null;
  #unwatch: (() => void) | null = null;
  #triggers: HpaTriggers | null = null;
  #jobs: AdvisedJobs | null = null;

  constructor(options: AdvisingOptions) {
    const { clock, view, adopted, control } = options;
    this.#options = options;
    this.#book = new AdviceBook(options);
    this.#advice = new AdviceDriver({
      clock,
      pods: view.pods,
      adopted,
      onActual: (workload) => this.#compare(workload),
    });
    this.driver = new ModeDriver({ control, advice: this.#advice });
  }

  load(): Promise<void> {
    return this.#book.load();
  }

  comparisons(): Comparison[] {
    return this.#book.list();
  }

  /** Triggers of HPAs by their status, and all others by what they are opened with. */
  triggers(inner: TriggerPort): TriggerPort {
    const { clock, view } = this.#options;
    this.#triggers = new HpaTriggers({ clock, inner, find: (at) => view.autoscalers.get(at) });
    return this.#triggers;
  }

  /** Jobs of ScaledJobs: made by what they are given, or imagined. */
  runs(real: RunsPart): AdvisedJobs {
    const { clock } = this.#options;
    this.#jobs = new AdvisedJobs({ clock, real, onChanged: (owner) => this.#compareJobs(owner) });
    return this.#jobs;
  }

  onEvent(event: InformerEvent): void {
    this.#triggers?.onEvent(event);
  }

  /** Compares from now on; an engine that has started. */
  follow(engine: Engine): void {
    this.#engine = engine;
    this.#unwatch = engine.watchStatuses(({ type, key }) => {
      if (type === 'status') this.#compare(key);
      if (type === 'jobs') this.#compareJobs(key);
    });
    for (const { namespace, name } of engine.statuses()) this.#compare(keyOf({ namespace, name }));
  }

  async close(): Promise<void> {
    this.#unwatch?.();
    await this.#book.close();
  }

  #compareJobs(owner: ObjectKey): void {
    const sides = this.#jobs?.sidesOf(owner);
    if (!sides) {
      this.#book.drop(owner, { isJobs: true });
      return;
    }
    const status = this.#engine?.scaledJob(owner);
    if (!status) return;
    this.#book.put(
      owner,
      { document: `ScaledJob/${owner.name}`, target: `Job/${owner.name}` },
      { ...sides, startMs: 0, because: status.summary },
    );
    // A source that cannot be read says nothing of what is asked for.
    const isIdle = status.triggers.every(({ state, active }) => state === 'ok' && active === false);
    if (isIdle) this.#jobs?.idle(owner, status.minReplicas);
  }

  #compare(workload: ObjectKey): void {
    const actual = this.#advice.actualOf(workload);
    if (!actual) {
      this.#book.drop(workload);
      return;
    }
    const status = this.#engine?.status(workload);
    if (!status) return;
    const { wanted, starting, ready, draining } = status.replicas;
    const { kind = 'Workload', name = workload.name } = status.scaledBy ?? {};
    const hpa = kind === 'ScaledObject' ? hpaOfClaim(name) : null;
    this.#book.put(
      workload,
      {
        document: hpa === null ? `${kind}/${name}` : `HorizontalPodAutoscaler/${hpa}`,
        target: this.#advice.targetOf(workload),
      },
      {
        actual,
        advised: { wanted, live: starting + ready + draining, ready },
        startMs: this.#advice.startMsOf(workload),
        because: status.decision?.summary ?? '',
      },
    );
  }
}
