import type { GatewayEvent } from '@ebb/core';
import type { WorldFaults } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { Stretches } from './stretches.ts';

/**
 * A link whose reader is at times slower than its writer: for `staleMs` it takes in half of what comes, so that everything
 * gets ever older, and then catches up within as long. Nothing is lost or overtaken, and a beat each second is two seconds
 * apart at most: the other side has no reason to believe that the gateway is gone.
 *
 * This is how a live gateway's counts can be old and still arrive. It reads them at the moment it sends, so a message whose
 * numbers stand still cannot be; but a link may hold a backlog of many minutes before it is closed.
 */
export class LateLink {
  readonly #kernel: Kernel;
  readonly #stretches: Stretches;
  readonly #longestUs: number;
  readonly #deliver: (event: GatewayEvent) => void;
  readonly #arriveKind: number;
  readonly #underWay: GatewayEvent[] = [];
  #lastUs = 0;

  constructor(
    kernel: Kernel,
    { staleEveryHours, staleMs }: WorldFaults,
    draws: Draws,
    deliver: (event: GatewayEvent) => void,
  ) {
    this.#kernel = kernel;
    this.#stretches = new Stretches(staleEveryHours, 2 * staleMs, draws);
    this.#longestUs = staleMs * 1000;
    this.#deliver = deliver;
    this.#arriveKind = kernel.kind(() => {
      const event = this.#underWay.shift();
      if (event) this.#deliver(event);
    });
  }

  send(event: GatewayEvent): void {
    const { nowUs } = this.#kernel;
    const lateUs = this.#lateUs(nowUs);
    if (lateUs === 0 && this.#underWay.length === 0) {
      this.#deliver(event);
      return;
    }
    this.#underWay.push(event);
    this.#lastUs = Math.max(this.#lastUs, nowUs + lateUs);
    this.#kernel.put(this.#lastUs, this.#arriveKind);
  }

  /** Age at which what is sent now will arrive. */
  #lateUs(nowUs: number): number {
    const sinceUs = this.#stretches.sinceUs(nowUs);
    if (sinceUs === null) return 0;
    return Math.round(Math.min(sinceUs, 2 * this.#longestUs - sinceUs));
  }
}
