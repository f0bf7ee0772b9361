/** A Service and its port, by number or by name. */
export interface ServiceSpec {
  service: string;
  port: number | null;
  portName: string | null;
}

/** A header that a request must have. */
export interface HttpHeaderSpec {
  name: string;
  /** Null: any value. */
  value: string | null;
}

/** What the replicas are counted from; where both are there, the one that asks for more wins. */
export interface HttpMetricSpec {
  /** Requests in flight for each replica; null: not asked for. */
  concurrency: number | null;
  requestRate: { targetPerSecond: number; windowMs: number; granularityMs: number } | null;
}

/** Null: not written, which leaves it to the gateway's own setting; 0: no limit. */
export interface HttpTimeoutsSpec {
  requestMs: number | null;
  /** How long a request waits for a replica that is ready. */
  readinessMs: number | null;
  responseHeaderMs: number | null;
}

interface Ports {
  port?: number | undefined;
  portName?: string | undefined;
}

export function resolveService(service: string, { port, portName }: Ports): ServiceSpec {
  return { service, port: port ?? null, portName: portName ?? null };
}

export function resolveHeaders(headers: readonly { name: string; value?: string | undefined }[]): HttpHeaderSpec[] {
  return headers.map(({ name, value }) => ({ name, value: value ?? null }));
}

export function resolveMetric(metric: {
  concurrency?: { targetValue: number } | undefined;
  requestRate?: { targetValue: number; window: number; granularity: number } | undefined;
}): HttpMetricSpec {
  const { concurrency, requestRate: rate } = metric;
  return {
    concurrency: concurrency?.targetValue ?? null,
    requestRate: rate
      ? { targetPerSecond: rate.targetValue, windowMs: rate.window, granularityMs: rate.granularity }
      : null,
  };
}
