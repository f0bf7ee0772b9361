import type { DecisionStatus, SystemStatus, WorkloadStatus } from '@ebb/documents';
import { call, readAnnotations, readStatus, RequestFailed, watch } from './api.ts';

/** One point of the curves. */
export interface Sample {
  at: number;
  wanted: number;
  ready: number;
  starting: number;
  demand: number;
}

export interface WorkloadView {
  id: string;
  status: WorkloadStatus;
  annotations: Record<string, string>;
  samples: Sample[];
  decisions: DecisionStatus[];
}

export interface Model {
  connection: 'connecting' | 'live' | 'lost' | 'refused';
  system: SystemStatus | null;
  workloads: Map<string, WorkloadView>;
  /** Server's wall clock minus this browser's. */
  clockOffsetMs: number;
}

/** How far back the curves go. */
export const longestHistoryMs = 180_000;
const mostSamples = 3000;
const mostDecisions = 12;

export function emptyModel(): Model {
  return { connection: 'connecting', system: null, workloads: new Map(), clockOffsetMs: 0 };
}

export const serverNow = (model: Model): number => Date.now() + model.clockOffsetMs;

export const workloadId = (status: { namespace: string; name: string }): string => `${status.namespace}/${status.name}`;

/** Takes a workload's newest status into the model and its curves. */
export function takeStatus(model: Model, status: WorkloadStatus, at: number): void {
  const id = workloadId(status);
  const view = model.workloads.get(id) ?? { id, status, annotations: {}, samples: [], decisions: [] };
  view.status = status;
  model.workloads.set(id, view);
  const { wanted, ready, starting } = status.replicas;
  view.samples.push({ at, wanted, ready, starting, demand: status.inFlight + status.held });
  while (view.samples.length > mostSamples || (view.samples[1]?.at ?? at) < at - longestHistoryMs) view.samples.shift();
  if (status.decision) takeDecision(view, status.decision);
}

/** Keeps the last decisions, newest first, each once. */
export function takeDecision(view: WorkloadView, decision: DecisionStatus): void {
  if (view.decisions.some((known) => known.sequence === decision.sequence)) return;
  view.decisions.unshift(decision);
  view.decisions.sort((a, b) => b.sequence - a.sequence);
  view.decisions.length = Math.min(view.decisions.length, mostDecisions);
}

async function takeEverything(model: Model): Promise<void> {
  const system = await readStatus();
  model.system = system;
  model.clockOffsetMs = system.at - Date.now();
  const present = new Set(system.workloads.map(workloadId));
  for (const id of model.workloads.keys()) if (!present.has(id)) model.workloads.delete(id);
  for (const status of system.workloads) takeStatus(model, status, system.at);
  const namespaces = [...new Set(system.workloads.map((status) => status.namespace))];
  for (const [id, annotations] of await readAnnotations(namespaces)) {
    const view = model.workloads.get(id);
    if (view) view.annotations = annotations;
  }
}

/** Follows the control plane for as long as the page is open; `changed` is called after every change. */
export async function follow(model: Model, changed: () => void): Promise<void> {
  let since: number | null = null;
  for (let failures = 0; ; failures++) {
    try {
      await takeEverything(model);
      model.connection = 'live';
      changed();
      for await (const event of watch(since, new AbortController().signal)) {
        failures = 0;
        if (event.type === 'heartbeat') continue;
        since = event.sequence;
        await takeEvent(model, event);
        changed();
      }
    } catch (error) {
      if (error instanceof RequestFailed && error.status === 410) since = null;
      if (error instanceof RequestFailed && error.status === 401) {
        model.connection = 'refused';
        changed();
        return;
      }
    }
    model.connection = 'lost';
    changed();
    await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 250 * 2 ** Math.min(failures, 5))));
  }
}

type Followed = Exclude<Awaited<ReturnType<ReturnType<typeof watch>['next']>>['value'], { type: 'heartbeat' } | void>;

async function takeEvent(model: Model, event: Followed): Promise<void> {
  if (event.type === 'status') takeStatus(model, event.status, event.at);
  if (event.type === 'decision') {
    const [, namespace, name] = event.workload.split('/');
    const view = model.workloads.get(`${namespace}/${name}`);
    if (view) takeDecision(view, event.decision);
  }
  if (event.type === 'deleted') {
    const [, namespace, name] = event.workload.split('/');
    model.workloads.delete(`${namespace}/${name}`);
  }
  if (event.type === 'document') await takeEverything(model);
}

/** One real request through the control plane to the workload's gateway. */
export function sendThrough(view: WorkloadView, path: string, init: RequestInit): Promise<Response> {
  const { namespace, name } = view.status;
  return call(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/workloads/${encodeURIComponent(name)}/proxy${path}`,
    init,
  );
}
