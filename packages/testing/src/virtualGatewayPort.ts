import type { GatewayEvent, GatewayPort, GatewayWorkload } from '@ebb/core';
import type { VirtualClock } from './virtualClock.ts';
import type { VirtualGateway } from './virtualGateway.ts';

/** The control plane's end of the link to a virtual gateway: keeps what was configured and resends it on connection. */
export class VirtualGatewayPort implements GatewayPort {
  readonly #clock: VirtualClock;
  readonly #linkUs: number;
  readonly #gateway: VirtualGateway;
  readonly #configured = new Map<string, GatewayWorkload>();
  readonly #listeners = new Set<(event: GatewayEvent) => void>();
  /** Rises with each cut: what was under way then never arrives. */
  #session = 0;
  #connected = false;
  /** Since when it falls behind, and by how much it may at most; null: it does not. */
  #behind: { sinceUs: number; longestUs: number } | null = null;
  /** When the last message arrives that was sent. */
  #lastUs = 0;

  constructor(clock: VirtualClock, linkUs: number, gateway: VirtualGateway) {
    this.#clock = clock;
    this.#linkUs = linkUs;
    this.#gateway = gateway;
  }

  connect(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.#cross(() => this.#tell(this.#gateway.hello()));
    this.#cross(() => this.#gateway.sync(this, structuredClone([...this.#configured.values()])));
  }

  /** The link breaks; both sides live on. */
  cut(message = 'link cut'): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#session++;
    this.#gateway.linkCut(this);
    this.#tell({ type: 'disconnected', gateway: this.#gateway.name, message });
  }

  configure(workload: GatewayWorkload): void {
    this.#gateway.configured++;
    const copy = structuredClone(workload);
    this.#configured.set(copy.key, copy);
    if (this.#connected) this.#cross(() => this.#gateway.applyWorkload(copy));
  }

  remove(workload: string): void {
    this.#configured.delete(workload);
    if (this.#connected) this.#cross(() => this.#gateway.removeWorkload(workload));
  }

  watch(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.cut('closed');
    this.#listeners.clear();
  }

  receive(event: GatewayEvent): void {
    const nowUs = this.#clock.nowUs();
    this.#lastUs = Math.max(this.#lastUs, nowUs + this.#lateUs(nowUs));
    this.#cross(() => this.#tell(event), this.#lastUs - nowUs);
  }

  /**
   * The control plane takes in half of what the gateway says for so long, so that everything gets ever older, and catches up
   * in as long again. Nothing is lost or overtaken, and it believes that the gateway is there.
   */
  fallBehind(longestMs: number): void {
    this.#behind = { sinceUs: this.#clock.nowUs(), longestUs: Math.round(longestMs * 1000) };
  }

  #lateUs(nowUs: number): number {
    if (!this.#behind) return 0;
    const { sinceUs, longestUs } = this.#behind;
    return Math.max(0, Math.min(nowUs - sinceUs, 2 * longestUs - (nowUs - sinceUs)));
  }

  #cross(action: () => void, lateUs = 0): void {
    const session = this.#session;
    this.#clock.afterUs(this.#linkUs + lateUs, () => {
      if (this.#connected && session === this.#session) action();
    });
  }

  #tell(event: GatewayEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
