import { type BudgetStatus, formatMoneyMicro } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import { messageOf } from './replicaActions.ts';

const lookEveryMs = 60_000;
const percentSteps = [100, 80];

/** Told to people outside, once for each cause. */
export type MoneyNotice =
  | ({ type: 'budget'; percent: number; monthEndsAtMs: number; message: string } & BudgetStatus)
  | {
      type: 'idle-cost';
      workload: string;
      currency: string;
      costMicro: string;
      /** Of the last request, or when it was applied. */
      idleSinceMs: number;
      message: string;
    }
  | {
      type: 'pool-budget';
      pool: string;
      currency: string;
      limitMicro: string;
      spentMicro: string;
      percent: number;
      monthEndsAtMs: number;
      message: string;
    }
  /** No machine of the pool has had a replica since then. */
  | { type: 'idle-pool'; pool: string; currency: string; costMicro: string; idleSinceMs: number; message: string };

/** Looks at money once a minute, and tells people what is new. */
export class MoneyNotices {
  readonly #context: EngineContext;
  #cancel: (() => void) | null = null;
  /** Steps that were told, by budget and month. */
  readonly #told = new Map<string, number>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Begins to look, if that is not so already. */
  start(look: () => Promise<void>): void {
    if (!this.#cancel) this.#schedule(look);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Per cent of its limit that a budget has newly passed in that month; null: nothing to tell. */
  newStep(budget: string, monthMs: number, spentMicro: bigint, limitMicro: bigint): number | null {
    const percent = percentSteps.find((step) => spentMicro * 100n >= limitMicro * BigInt(step));
    const name = `${budget} ${monthMs}`;
    if (percent === undefined || (this.#told.get(name) ?? 0) >= percent) return null;
    this.#told.set(name, percent);
    return percent;
  }

  tell(notice: MoneyNotice): void {
    const { log, notify } = this.#context.ports;
    const { message, ...data } = notice;
    log('warn', message, data);
    notify?.(notice);
  }

  #schedule(look: () => Promise<void>): void {
    const { clock, log } = this.#context.ports;
    this.#cancel = clock.at(clock.nowMs() + lookEveryMs, () => {
      if (this.#context.stopped) return;
      this.#schedule(look);
      look().catch((error: unknown) => log('warn', 'costs were not looked at', { error: messageOf(error) }));
    });
  }
}

/** Cents, or all decimals of less than one. */
export function moneyOf(micro: bigint | string, currency: string): string {
  const amount = BigInt(micro);
  return formatMoneyMicro(amount, currency, amount > 0n && amount < 10_000n ? 6 : 2);
}
