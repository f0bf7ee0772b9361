/** What `ebb cost` and `GET /api/v1/cost` tell. Money in micro-units, as decimal strings because the sums are BigInt inside. */

export type CostGrouping = 'workload' | 'class' | 'pool' | 'node' | `label:${string}`;

/** What one group cost. The groups of a currency add up to its total, to the micro-unit. */
export interface CostGroup {
  /** `namespace/name`, then `/class`; a node, a pool or a label's value; empty: without the label, or of no pool. */
  name: string;
  currency: string;
  costMicro: string;
  /** Of its replicas, from asking for each until it is gone. */
  replicaSeconds: number;
  /** Parts of the cost by how the machine was rented: on-demand, spot, reserved. */
  capacityMicro: Record<string, string>;
  /** What was paid while nothing was in flight (of a node: what nobody had asked for); null: not measured. */
  idle: { share: number; costMicro: string } | null;
  /** What the dearest moment seen in the span would have cost, kept all the time; null: of what is not scaled by itself. */
  alwaysOnMicro: string | null;
  /** Requests in the hours that the span touches; null: not counted for such a group. */
  requests: number | null;
}

/** How a calendar month (UTC) will end, if its other days are like the last ones. */
export interface CostForecast {
  currency: string;
  monthStart: number;
  monthEnd: number;
  spentMicro: string;
  /** At the end of the month; null: less than a day is known. */
  expectedMicro: string | null;
  /** Where four of five months like this end, days taken as independent; null: fewer than three days are known. */
  lowMicro: string | null;
  highMicro: string | null;
  /** Whole days it rests on. */
  days: number;
  basis: 'weekday' | 'mean' | 'none';
}

/** A budget of the Cluster document, this month. */
export interface BudgetStatus {
  /** Null: of the whole cluster. */
  namespace: string | null;
  currency: string;
  mode: 'warn' | 'stopGrowing';
  limitMicro: string;
  spentMicro: string;
}

/** What a cluster's machines cost in the span, used or not. */
export interface MachineCost {
  cluster: string;
  currency: string;
  costMicro: string;
  /** Least that the same replicas could have cost, by the bounds of the plans in force. */
  leastMicro: string;
}

export type CostTotal = Omit<CostGroup, 'name'>;

export interface CostReport {
  /** Milliseconds of wall time. */
  at: number;
  from: number;
  to: number;
  by: CostGrouping;
  /** Null: all. */
  namespace: string | null;
  /** Dearest first. */
  groups: CostGroup[];
  /** One for each currency: amounts of several are never added. */
  totals: CostTotal[];
  /** Of all namespaces, by cluster whose machines are rented; absent in what an older control plane says. */
  machines?: MachineCost[];
  forecasts: CostForecast[];
  budgets: BudgetStatus[];
}
