import type { MetricsAddress } from '@ebb/core';
import type { VirtualClock } from './virtualClock.ts';
import type { Exchange, VirtualGateway } from './virtualGateway.ts';
import type { VirtualMetrics } from './virtualMetrics.ts';

/** How fast the servers of a virtual LLM are. */
export interface LlmModel {
  /** Requests that one replica generates at once; more wait in its own queue. */
  parallel: number;
  prefillMs: number;
  /** Time a token takes alone, and how much longer for each other request beside it. */
  tokenMs: number;
  tokenMsPerRunning: number;
  /** Length of an answer. */
  tokens(): number;
}

interface Server {
  freeAtUs: number[];
  waiting: number;
  running: number;
  generatedTokens: number;
  firstToken: Histogram;
  perToken: Histogram;
}

const firstTokenBoundsS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40,
];
const perTokenBoundsS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

/**
 * LLM servers behind a virtual gateway: each replica generates some requests at once, slower the more there are, and has
 * the others wait; its page has vLLM's metrics. Takes the gateway's `onAssign` and the pages of the scraper.
 */
export class VirtualLlm {
  readonly #clock: VirtualClock;
  readonly #gateway: VirtualGateway;
  readonly #model: LlmModel;
  readonly #servers = new Map<string, Server>();
  /** Replicas that answer no scrape. */
  readonly unreadable = new Set<string>();
  /** Every time to a first token so far, with the moment of that token. */
  readonly firstTokens: { atMs: number; tookMs: number }[] = [];

  constructor(system: { clock: VirtualClock; gateway: VirtualGateway; metrics: VirtualMetrics }, model: LlmModel) {
    this.#clock = system.clock;
    this.#gateway = system.gateway;
    this.#model = model;
    system.gateway.onAssign = (exchange) => this.#assign(exchange);
    system.metrics.page = (address) => this.#page(address);
  }

  #assign(exchange: Exchange): void {
    const server = this.#server(exchange.replica ?? '');
    const { prefillMs, tokenMs, tokenMsPerRunning, tokens } = this.#model;
    const nowUs = this.#clock.nowUs();
    const slot = server.freeAtUs.indexOf(Math.min(...server.freeAtUs));
    const startUs = Math.max(nowUs, server.freeAtUs[slot] ?? 0);
    const beside = server.freeAtUs.filter((atUs) => atUs > startUs).length;
    const perTokenMs = tokenMs + tokenMsPerRunning * beside;
    const length = tokens();
    const firstUs = startUs + prefillMs * 1000;
    const endUs = firstUs + Math.round(length * perTokenMs * 1000);
    server.freeAtUs[slot] = endUs;
    exchange.serviceUs = Math.max(1, endUs - nowUs);
    server.waiting++;
    this.#clock.atUs(startUs, () => {
      server.waiting--;
      server.running++;
    });
    this.#clock.atUs(firstUs, () => {
      const tookMs = (firstUs - nowUs) / 1000;
      server.firstToken.add(tookMs / 1000, 1);
      this.firstTokens.push({ atMs: this.#clock.nowMs(), tookMs });
    });
    this.#clock.atUs(endUs, () => {
      server.running--;
      server.generatedTokens += length;
      server.perToken.add(perTokenMs / 1000, length);
    });
  }

  #server(replica: string): Server {
    const known = this.#servers.get(replica);
    if (known) return known;
    const made: Server = {
      freeAtUs: Array.from({ length: this.#model.parallel }, () => 0),
      waiting: 0,
      running: 0,
      generatedTokens: 0,
      firstToken: new Histogram('vllm:time_to_first_token_seconds', firstTokenBoundsS),
      perToken: new Histogram('vllm:inter_token_latency_seconds', perTokenBoundsS),
    };
    this.#servers.set(replica, made);
    return made;
  }

  #page({ host, port }: MetricsAddress): string | { error: string } {
    const endpoints = this.#gateway.workloads().flatMap((workload) => workload.endpoints);
    const replica = endpoints.find((endpoint) => endpoint.port === port)?.replica;
    if (replica === undefined || this.unreadable.has(replica)) return { error: `nobody listens at ${host}:${port}` };
    const { waiting, running, generatedTokens, firstToken, perToken } = this.#server(replica);
    return [
      `vllm:num_requests_waiting{engine="0"} ${waiting}`,
      `vllm:num_requests_running{engine="0"} ${running}`,
      `vllm:kv_cache_usage_perc{engine="0"} ${Math.min(1, running / this.#model.parallel)}`,
      `vllm:generation_tokens_total{engine="0"} ${generatedTokens}`,
      ...firstToken.lines(),
      ...perToken.lines(),
      '',
    ].join('\n');
  }
}

class Histogram {
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(name: string, bounds: readonly number[]) {
    this.#name = name;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  add(value: number, times: number): void {
    for (const [i, bound] of this.#bounds.entries())
      if (value <= bound) this.#counts[i] = (this.#counts[i] ?? 0) + times;
    this.#sum += value * times;
    this.#count += times;
  }

  lines(): string[] {
    const bucket = (le: string, count: number) => `${this.#name}_bucket{engine="0",le="${le}"} ${count}`;
    return [
      ...this.#bounds.map((bound, i) => bucket(String(bound), this.#counts[i] ?? 0)),
      bucket('+Inf', this.#count),
      `${this.#name}_sum{engine="0"} ${this.#sum}`,
      `${this.#name}_count{engine="0"} ${this.#count}`,
    ];
  }
}
