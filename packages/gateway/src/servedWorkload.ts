import type { GatewayEndpoint, GatewayWorkload } from '@ebb/core';
import type { Flight } from './flight.ts';
import { limits } from './limits.ts';

/** A workload as the gateway serves it now. */
export interface ServedWorkload {
  key: string;
  spec: GatewayWorkload;
  /** By replica. */
  endpoints: Map<string, { endpoint: GatewayEndpoint; routedAtUs: number | null }>;
  held: Set<Flight>;
  /** Deferrable requests that wait for slack. */
  deferred: Set<Flight>;
  /** Bytes of waiting bodies that were promised room in memory, and what of them is of deferrable requests. */
  heldBodyBytes: number;
  deferredBodyBytes: number;
  /** Classes for which the control plane was woken, until nothing waits for them. */
  woken: Set<string>;
}

export function newServedWorkload(spec: GatewayWorkload): ServedWorkload {
  return {
    key: spec.key,
    spec,
    endpoints: new Map(),
    held: new Set(),
    deferred: new Set(),
    heldBodyBytes: 0,
    deferredBodyBytes: 0,
    woken: new Set(),
  };
}

/** Whether choosing a class needs a look into the JSON body. */
export function choosesByBody(spec: GatewayWorkload): boolean {
  return spec.classes.some(
    ({ accepts }) => accepts !== null && (accepts.maxTokens !== null || accepts.models.length > 0),
  );
}

export function choosesByField(spec: GatewayWorkload): boolean {
  return spec.classes.some(({ accepts }) => accepts !== null && Object.keys(accepts.headers).length > 0);
}

/**
 * How much of a waiting request's body is read into memory; 0: it stays with the client. What may not wait at all
 * (`serving.buffer.maxBodySize`) is given as it is, and the dispatcher refuses it if it would have to. Deferrable
 * requests have half of the buffer.
 */
export function bodyBytesToHold(
  workload: ServedWorkload,
  bodyBytes: number | null,
  usedBytes: number,
  isDeferrable = false,
): number {
  const { maxBodyBytes, maxTotalBytes } = workload.spec.serving.buffer;
  if (bodyBytes !== null && bodyBytes > maxBodyBytes) return bodyBytes;
  const wanted = bodyBytes ?? Math.min(unknownBodyBytes, maxBodyBytes);
  if (wanted > limits.heldBodyBytes) return 0;
  if (workload.heldBodyBytes + wanted > maxTotalBytes) return 0;
  if (isDeferrable && workload.deferredBodyBytes + wanted > maxTotalBytes / 2) return 0;
  return usedBytes + wanted > limits.allBodiesBytes ? 0 : wanted;
}

/** Read ahead of a body whose length nobody told. */
const unknownBodyBytes = 64 * 1024;
