import { allocatableOf, type FleetNode, type LedgerStore, type NodeLedgerRow, noReserve } from '@ebb/core';
import type { LedgerOptions } from '../ledger.ts';
import { RowWriter } from '../rowWriter.ts';
import type { FleetDocuments } from './fleetDocuments.ts';

/**
 * What machines cost: one row each, open from the moment at which it was asked for and accepted until the provider has it no more.
 * Written in the background; a row that cannot be written yet waits.
 */
export class NodeLedger {
  readonly #store: LedgerStore;
  readonly #writer: RowWriter<NodeLedgerRow>;
  readonly #open = new Map<string, NodeLedgerRow>();

  constructor({ store, clock, log }: LedgerOptions) {
    this.#store = store;
    this.#writer = new RowWriter({
      ...{ name: 'ledger of nodes', clock, log },
      keyOf: ({ node }) => node,
      write: (rows) => store.writeNodes(rows),
    });
  }

  async load(): Promise<void> {
    for (const row of await this.#store.readNodes({})) if (row.toMs === null) this.#open.set(row.node, row);
  }

  row(node: string): NodeLedgerRow | null {
    return this.#open.get(node) ?? null;
  }

  /** A cluster's machines are these: rows of new ones begin, those of machines that are gone end. */
  follow(
    { name: cluster, currency }: { name: string; currency: string },
    nodes: readonly FleetNode[],
    documents: FleetDocuments,
    nowMs: number,
  ): void {
    const present = new Set<string>();
    for (const node of nodes) {
      present.add(node.id);
      // Nothing is paid for what the provider has not accepted.
      if (node.phase !== 'asked' && !this.#open.has(node.id)) this.#begin(currency, node, documents);
    }
    for (const row of this.#open.values()) {
      if (row.pool.startsWith(`${cluster}/`) && !present.has(row.node)) {
        this.#open.delete(row.node);
        this.#writer.write({ ...row, toMs: Math.max(row.fromMs, nowMs) });
      }
    }
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  abandon(): void {
    this.#writer.abandon();
  }

  #begin(currency: string, node: FleetNode, { parts }: FleetDocuments): void {
    const { instanceType, capacityType, pricePerHourMicro } = node.offering;
    const pool = parts.pools.find(({ consolidation }) => consolidation.pool.name === node.pool);
    const reserve = pool?.consolidation.pool.reserve ?? noReserve;
    const row: NodeLedgerRow = {
      node: node.id,
      pool: node.pool,
      instanceType: instanceType.name,
      capacityType,
      fromMs: node.askedAtMs,
      toMs: null,
      pricePerHourMicro,
      currency,
      allocatable: { ...allocatableOf(instanceType, reserve), gpuMilli: (instanceType.gpu?.count ?? 0) * 1000 },
    };
    this.#open.set(node.id, row);
    this.#writer.write(row);
  }
}
