import type { KubernetesApi } from '@ebb/testing/services';
import { installKedaKind } from '@ebb/testing/services';

const nodeName = 'workers';
const podsPath = `/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeName}`;

interface Pod {
  metadata: { name: string; namespace: string; deletionTimestamp?: string };
  spec: { containers: { name: string; image: string }[] };
  status: { phase: string };
}

export interface JobWorkersOptions {
  api: KubernetesApi;
  /** A container has begun. */
  begin(pod: string): Promise<void>;
  /** A container is about to end, well or with an exit code. */
  end(pod: string): Promise<number>;
  workMs: number;
  /** The node takes pods with a toleration for it alone. */
  isDedicated?: boolean;
  /** Left out: a container takes its work as it is shown running; true: before, as one that is ready only then. */
  beginsUnseen?: boolean;
}

/**
 * A kubelet of one node whose pods take work: each runs for a while, between what a test does at its begin and at its end. KWOK's
 * own pods of Jobs end in the moment in which they begin.
 */
export class JobWorkers {
  /** Pods that have begun, in order. */
  readonly begun: string[] = [];
  readonly ended: string[] = [];
  /** Most at once. */
  most = 0;
  readonly #options: JobWorkersOptions;
  readonly #taken = new Set<string>();
  #isOpen = true;
  #running: Promise<void> | null = null;

  constructor(options: JobWorkersOptions) {
    this.#options = options;
  }

  async start(): Promise<this> {
    const { api } = this.#options;
    const resources = { cpu: '64', memory: '256Gi', pods: '500' };
    await api.post('/api/v1/nodes', {
      metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName, workers: 'true' } },
      spec: { taints: this.#options.isDedicated ? [{ key: 'workers', effect: 'NoSchedule' }] : [] },
    });
    await this.#beat(resources);
    this.#running = this.#run(resources);
    return this;
  }

  async stop(): Promise<void> {
    this.#isOpen = false;
    await this.#running;
    await this.#options.api.send('DELETE', `/api/v1/nodes/${nodeName}`);
  }

  async #beat(resources: Record<string, string>): Promise<void> {
    const at = new Date().toISOString();
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: at };
    const status = { conditions: [ready], allocatable: resources, capacity: resources };
    await this.#options.api.patch(`/api/v1/nodes/${nodeName}/status`, { status });
  }

  async #run(resources: Record<string, string>): Promise<void> {
    const working: Promise<void>[] = [];
    let beatAtMs = performance.now();
    while (this.#isOpen) {
      if (performance.now() - beatAtMs > 8000) {
        beatAtMs = performance.now();
        await this.#beat(resources);
      }
      const { items } = await this.#options.api.get<{ items: Pod[] }>(podsPath);
      for (const pod of items) {
        const { name, namespace, deletionTimestamp } = pod.metadata;
        if (deletionTimestamp !== undefined) {
          await this.#options.api.send('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`);
        } else if (pod.status.phase === 'Pending' && !this.#taken.has(name)) {
          this.#taken.add(name);
          working.push(this.#work(pod));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(working);
  }

  async #work(pod: Pod): Promise<void> {
    const { begin, end, workMs, beginsUnseen = false } = this.#options;
    const { name } = pod.metadata;
    const startedAt = new Date().toISOString();
    if (beginsUnseen) await begin(name);
    await this.#write(pod, 'Running', { running: { startedAt } });
    if (!beginsUnseen) await begin(name);
    this.begun.push(name);
    this.most = Math.max(this.most, this.begun.length - this.ended.length);
    await new Promise((resolve) => setTimeout(resolve, workMs));
    const exitCode = await end(name);
    this.ended.push(name);
    const terminated = { exitCode, startedAt, finishedAt: new Date().toISOString() };
    await this.#write(pod, exitCode === 0 ? 'Succeeded' : 'Failed', { terminated });
  }

  async #write({ metadata, spec }: Pod, phase: string, state: Record<string, unknown>): Promise<void> {
    const isReady = phase === 'Running';
    const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: isReady ? 'True' : 'False' }));
    const containerStatuses = spec.containers.map(({ name, image }) => ({
      ...{ name, image, imageID: '', restartCount: 0, ready: isReady, started: isReady, state },
    }));
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    try {
      await this.#options.api.patch(`${path}/status`, { status: { phase, conditions, containerStatuses } });
    } catch (error) {
      // Deleted while it ran.
      if ((await this.#options.api.send('GET', path)).status !== 404) throw error;
    }
  }
}

export function installScaledJobs(api: KubernetesApi): Promise<void> {
  return installKedaKind(api, 'ScaledJob');
}

export const scaledJobsPath = '/apis/keda.sh/v1alpha1/namespaces/default/scaledjobs';
export const jobsPath = '/apis/batch/v1/namespaces/default/jobs';
