import type { NodeObservation } from '@ebb/core';

export interface LossesOptions {
  /** How long a spot machine is told before its end. */
  noticeMs: number;
  /** Which machines the cloud took lately, by its own names; left out: every spot machine that nobody was asked to end. */
  taken?(): Promise<ReadonlySet<string>>;
}

/** How long a machine that vanished is told as gone. */
const toldForMs = 600_000;

/**
 * Tells apart how machines end, for clouds that only say what is there: a spot machine that stops without having been asked to is
 * being taken back. What has been told gone stays so while the cloud deletes it.
 */
export class Losses {
  readonly #options: LossesOptions;
  /** What was asked to end, by the cloud's name. */
  readonly #ended = new Set<string>();
  readonly #over = new Map<string, NodeObservation>();
  /** Spot machines of the last list. */
  #spots = new Map<string, NodeObservation>();
  #vanished: { node: NodeObservation; untilMs: number }[] = [];

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** This machine was asked to end: that is no interruption. */
  ended(providerId: string): void {
    this.#ended.add(providerId);
  }

  /** Machines that have stopped by themselves and are still there: they are of no use any more, and may cost. */
  leftovers(nodes: readonly NodeObservation[]): string[] {
    return nodes.flatMap(({ phase, id, providerId }) => {
      if (phase !== 'gone' || id === null || providerId === null || this.#ended.has(providerId)) return [];
      return this.#vanished.some(({ node }) => node.providerId === providerId) ? [] : [providerId];
    });
  }

  async told(found: readonly NodeObservation[], nowMs: number): Promise<NodeObservation[]> {
    const nodes = found.map((node) => this.#one(node, nowMs));
    for (const node of nodes)
      if (node.phase === 'gone' && node.providerId !== null) this.#over.set(node.providerId, node);
    const there = new Set(nodes.map(({ providerId }) => providerId));
    await this.#mourn(there, nowMs);
    this.#spots = new Map(
      nodes.flatMap((node) =>
        node.offering.capacityType === 'spot' && node.phase !== 'gone' && node.providerId !== null
          ? [[node.providerId, node] as const]
          : [],
      ),
    );
    for (const known of [this.#ended, this.#over]) {
      for (const providerId of known.keys()) if (!there.has(providerId)) known.delete(providerId);
    }
    return [...nodes, ...this.#vanished.map(({ node }) => node)];
  }

  #one(node: NodeObservation, nowMs: number): NodeObservation {
    const { providerId, phase } = node;
    if (providerId === null) return node;
    const before = this.#over.get(providerId);
    if (before !== undefined && phase !== 'ready' && phase !== 'running') return before;
    if (node.offering.capacityType !== 'spot' || this.#ended.has(providerId)) return node;
    if (phase === 'gone') return { ...node, failure: 'interrupted' };
    if (phase !== 'stopping') return node;
    const notice = this.#spots.get(providerId)?.notice;
    return { ...node, notice: notice ?? { kind: 'interruption', goesAtMs: nowMs + this.#options.noticeMs } };
  }

  async #mourn(there: ReadonlySet<string | null>, nowMs: number): Promise<void> {
    const lost = [...this.#spots].filter(([providerId]) => !there.has(providerId) && !this.#ended.has(providerId));
    const taken = lost.length === 0 ? null : ((await this.#options.taken?.()) ?? null);
    for (const [providerId, node] of lost) {
      const isTaken = taken === null || taken.has(providerId);
      const failure = isTaken ? 'interrupted' : 'terminated';
      const message = isTaken ? 'the cloud took it back' : 'somebody ended it';
      this.#vanished.push({ node: { ...node, phase: 'gone', failure, message }, untilMs: nowMs + toldForMs });
    }
    this.#vanished = this.#vanished.filter(({ node, untilMs }) => untilMs > nowMs && !there.has(node.providerId));
  }
}
