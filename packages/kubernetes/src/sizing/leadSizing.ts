import type { SizedResource, StateStore } from '@ebb/core';
import { type ObjectKey, resolveWorkload, type SizingApplySpec } from '@ebb/documents';
import type { KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import type { TargetReference } from '../driver/target.ts';
import type { PodUsageReader } from '../metrics/podUsage.ts';
import type { ClusterView } from '../operator/cluster.ts';
import { workloadInput } from '../operator/documents.ts';
import { OptionalInformer } from '../operator/optionalInformer.ts';
import type { WantedReader } from '../operator/wanted.ts';
import { PodSizing } from './podSizing.ts';
import { verticalAutoscalerOf } from './rivals.ts';

const askAgainMs = 30_000;

/** What Workloads say of their sizing, read once for each change of one. */
export class SizingAsked {
  readonly #workloads: Pick<ClusterView['workloads'], 'get'>;
  readonly #read = new Map<string, { uid: string; generation: number; sizing: SizingApplySpec | null }>();

  constructor({ workloads }: Pick<ClusterView, 'workloads'>) {
    this.#workloads = workloads;
  }

  /** Null: its document says nothing of it, or there is none that is valid. */
  of({ namespace, name }: Pick<ObjectKey, 'namespace' | 'name'>): SizingApplySpec | null {
    const key = `${namespace}/${name}`;
    const object = this.#workloads.get({ namespace, name });
    if (!object) {
      this.#read.delete(key);
      return null;
    }
    const known = this.#read.get(key);
    if (known?.uid === object.uid && known.generation === object.generation) return known.sizing;
    const sizing = sizingOf(object);
    this.#read.set(key, { uid: object.uid, generation: object.generation, sizing });
    return sizing;
  }
}

function sizingOf(object: KubernetesObject): SizingApplySpec | null {
  try {
    return resolveWorkload(workloadInput(object).document, { baseDirectory: '/' }).sizing ?? null;
  } catch {
    // What is wrong with it is said by whoever follows it.
    return null;
  }
}

export interface LeadSizingOptions {
  readonly client: KubernetesClient;
  readonly view: ClusterView;
  readonly reader: Pick<WantedReader, 'claimsOf' | 'specOf'>;
  readonly asked: SizingAsked;
  readonly state: Pick<StateStore, 'save' | 'load' | 'drop'>;
  readonly epoch: number;
  mayWrite(): boolean;
  changed(workload: ObjectKey): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/**
 * The sizing of pods for one time of leading. `follow` what measures them; VerticalPodAutoscalers are followed too, and nothing is
 * written before it is known which there are.
 */
export function leadSizing(options: LeadSizingOptions) {
  const { client, view, reader, asked } = options;
  const onTrouble = (error: string) => options.log('warn', 'VerticalPodAutoscalers are asked for again', { error });
  const autoscalers = new OptionalInformer({
    ...{ client, resource: resources.verticalPodAutoscalers, namespace: view.namespace },
    ...{ mayBeRefused: true, onTrouble, onEvent: () => {} },
  });
  let areRivalsKnown = false;
  let isClosed = false;
  async function knowRivals(): Promise<void> {
    try {
      await autoscalers.start();
      areRivalsKnown = true;
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : String(error));
      await client.wait(askAgainMs);
      if (!isClosed) await knowRivals();
    }
  }
  void knowRivals();
  const sizing = new PodSizing({
    ...{ client, pods: view.pods, state: options.state, epoch: options.epoch },
    ...{ mayWrite: () => areRivalsKnown && options.mayWrite(), changed: options.changed, log: options.log },
    sizingOf: (workload) => asked.of(workload),
    scaledShares: (workload) => scaledShares(reader, workload),
    rivalOf: (reference: TargetReference) => verticalAutoscalerOf(autoscalers.list(), reference),
    targetOf: ({ resource, namespace, name }) => view.targets.get(resource, { namespace, name }),
  });
  let unwatch = () => {};
  return {
    companion: sizing,
    conditionOf: (workload: ObjectKey) => sizing.conditionOf(workload),
    follow(usage: PodUsageReader): void {
      unwatch = usage.watch((event) => {
        if (event.type === 'pod-usage') sizing.take(event.usage);
      });
    },
    async close(): Promise<void> {
      isClosed = true;
      unwatch();
      await sizing.close();
      await autoscalers.close();
    },
  };
}

/** CPU and memory triggers that aim at a share of what is requested. */
export function scaledShares(reader: LeadSizingOptions['reader'], workload: ObjectKey): SizedResource[] {
  const triggers = reader.claimsOf(workload).flatMap((object) => reader.specOf(object)?.triggers ?? []);
  const shares = triggers.flatMap(({ type, metricType }): SizedResource[] =>
    metricType === 'Utilization' && (type === 'cpu' || type === 'memory') ? [type] : [],
  );
  return [...new Set(shares)];
}

export const notSwitchedOn = {
  type: 'Sizing',
  status: 'False',
  reason: 'NotSwitchedOn',
  message: 'the operator runs without --sizing (sizing.enabled of the chart): nothing is measured or changed',
} as const;
