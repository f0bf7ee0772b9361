import { keyText, type WorkloadStatus } from '@ebb/documents';
import type { Engine } from '@ebb/engine';
import { fitsLabels, type InsideView, parseLabelSelector } from '@ebb/scalers';

/** One moment of a workload's requests. */
interface Moment {
  atMs: number;
  /** In flight or held. */
  busy: number;
  /** Time that requests were, in all, as far as gateways have counted it. */
  busyUs: number;
  /** Arrived since the beginning. */
  arrived: number;
}

/** Moments are kept this long at most, and not closer than this. */
const longestWindowMs = 3_600_000;
const gapMs = 10;

/** What triggers see of Ebb itself, by namespace. The engine is asked when there is something to ask. */
export function insideView(engine: () => Engine): (namespace: string) => InsideView {
  const histories = new Map<string, Moment[]>();
  const listeners = new Map<string, Set<() => void>>();
  let isFollowing = false;

  const follow = () => {
    if (isFollowing) return;
    isFollowing = true;
    engine().watch((event) => {
      if (event.type !== 'status') return;
      const key = keyText(event.status);
      const moments = histories.get(key);
      if (!moments) return;
      note(moments, event.status, engine().busyUs(event.status), event.at);
      for (const listener of [...(listeners.get(key) ?? [])]) listener();
    });
  };

  return (namespace) => {
    const keyOf = (name: string) => ({ cluster: 'local', namespace, name });
    return {
      replicas(labelSelector) {
        const selector = parseLabelSelector(labelSelector);
        return engine()
          .labels()
          .filter(({ key, labels }) => key.namespace === namespace && fitsLabels(selector, withName(labels, key.name)))
          .reduce((sum, { key }) => sum + alive(engine().status(key)), 0);
      },
      requests(workload, windowMs) {
        const key = keyOf(workload);
        const status = engine().status(key);
        if (!status) return null;
        follow();
        const moments = histories.get(keyText(key)) ?? [];
        histories.set(keyText(key), moments);
        const nowMs = engine().nowMs();
        note(moments, status, engine().busyUs(key), nowMs);
        return meansOf(moments, nowMs, windowMs);
      },
      watch(workload, listener) {
        follow();
        const key = keyText(keyOf(workload));
        if (!histories.has(key)) histories.set(key, []);
        const own = listeners.get(key) ?? new Set();
        listeners.set(key, own.add(listener));
        return () => own.delete(listener);
      },
    };
  };
}

/** Pods carry the name of what made them; a workload without such labels has them here. */
function withName(labels: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return { app: name, 'app.kubernetes.io/name': name, ...labels };
}

function alive(status: WorkloadStatus | null): number {
  return status ? status.replicas.ready + status.replicas.starting : 0;
}

function note(moments: Moment[], status: WorkloadStatus, busyUs: number | null, atMs: number): void {
  const last = moments.at(-1);
  const { inFlight, held, requests } = status;
  const moment = { atMs, busy: inFlight + held, busyUs: busyUs ?? last?.busyUs ?? 0, arrived: requests.total };
  if (last && atMs - last.atMs < gapMs) {
    // Within one gap the busiest moment counts, so that a short burst is not lost.
    moments[moments.length - 1] = { ...moment, atMs: last.atMs, busy: Math.max(moment.busy, last.busy) };
    return;
  }
  moments.push(moment);
  while (moments.length > 1 && (moments[1]?.atMs ?? 0) < atMs - longestWindowMs) moments.shift();
}

/**
 * Mean number of requests and arrivals a second over the window, as far back as it is known. What gateways have counted is exact, also
 * of requests that came and went between two moments; since then the number at each moment stands for the time until the next.
 */
export function meansOf(
  moments: readonly Moment[],
  nowMs: number,
  windowMs: number,
): { concurrency: number; requestRate: number } {
  const latest = moments.at(-1);
  if (!latest) return { concurrency: 0, requestRate: 0 };
  if (windowMs <= 0) return { concurrency: latest.busy, requestRate: 0 };
  // The present millisecond counts, so that what has just come is not read as nothing.
  const untilNowMs = nowMs + 1;
  const fromMs = untilNowMs - windowMs;
  let busyMs = 0;
  let sinceCountsMs = 0;
  let base = moments[0] ?? latest;
  for (const [index, moment] of moments.entries()) {
    const next = moments[index + 1];
    const untilMs = next?.atMs ?? untilNowMs;
    if (moment.atMs <= fromMs) base = moment;
    const insideMs = Math.max(0, untilMs - Math.max(moment.atMs, fromMs));
    const countedUs = next ? Math.max(0, next.busyUs - moment.busyUs) : 0;
    if (countedUs === 0) sinceCountsMs += moment.busy * insideMs;
    else {
      sinceCountsMs = 0;
      busyMs += (countedUs / 1000) * (insideMs / Math.max(1, untilMs - moment.atMs));
    }
  }
  const spanMs = Math.max(1, untilNowMs - Math.max(base.atMs, fromMs));
  return {
    concurrency: (busyMs + sinceCountsMs) / spanMs,
    requestRate: ((latest.arrived - base.arrived) * 1000) / windowMs,
  };
}
