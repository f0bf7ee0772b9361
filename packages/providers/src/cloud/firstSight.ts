import type { NodeObservation } from '@ebb/core';

/**
 * When machines were first seen ready, on Ebb's clock: a cloud's own time may be off, and says when a machine started rather than
 * when it was ready. What the cloud says counts where it lies between the request and now.
 */
export class FirstSight {
  readonly #readyAtMs = new Map<string, number>();

  sight(nodes: readonly NodeObservation[], nowMs: number): NodeObservation[] {
    const there = new Set(nodes.map(({ providerId }) => providerId));
    for (const providerId of this.#readyAtMs.keys()) if (!there.has(providerId)) this.#readyAtMs.delete(providerId);
    return nodes.map((node) => {
      if (node.phase !== 'ready' || node.providerId === null) return { ...node, readyAtMs: null };
      const known = this.#readyAtMs.get(node.providerId);
      const saidMs = node.readyAtMs ?? nowMs;
      const isPossible = saidMs <= nowMs && saidMs >= (node.askedAtMs ?? saidMs);
      const readyAtMs = known ?? (isPossible ? saidMs : Math.max(nowMs, node.askedAtMs ?? nowMs));
      this.#readyAtMs.set(node.providerId, readyAtMs);
      return { ...node, readyAtMs };
    });
  }
}
