import { SourceError, sourceError } from '../contract/errors.ts';
import type { HttpClient } from '../runtime/http.ts';
import {
  type ConsumerName,
  type ConsumerView,
  type JetStreamView,
  readJetStream,
  readServer,
  type ServerView,
} from './monitoring.ts';

/** More servers than that are not asked. */
const maxServers = 64;

/**
 * Finds the server of a cluster that leads a consumer and asks it: only that one knows how much is pending. It is
 * remembered until it leads no more.
 */
export class ConsumerLeader {
  readonly #http: HttpClient;
  readonly #base: string;
  readonly #name: ConsumerName;
  #leader: { base: string; name: string } | null = null;

  /** `base` is the monitoring endpoint, `http://host:8222`. */
  constructor(http: HttpClient, base: string, name: ConsumerName) {
    this.#http = http;
    this.#base = base;
    this.#name = name;
  }

  /** Rejects with `SourceError`. */
  async read(signal: AbortSignal): Promise<ConsumerView> {
    const known = await this.#askKnown(signal);
    if (known) return known;
    const view = await readJetStream(this.#http, this.#base, this.#name, signal);
    if (view.clusterSize > 1) return this.#search(view, signal);
    if (view.consumer) return view.consumer;
    throw this.#missing(view);
  }

  async #askKnown(signal: AbortSignal): Promise<ConsumerView | null> {
    const leader = this.#leader;
    if (!leader) return null;
    try {
      const { consumer } = await readJetStream(this.#http, leader.base, this.#name, signal);
      if (consumer?.leader === leader.name) return consumer;
    } catch (error) {
      if (signal.aborted) throw error;
    }
    this.#leader = null;
    return null;
  }

  async #search(view: JetStreamView, signal: AbortSignal): Promise<ConsumerView> {
    const server = await readServer(this.#http, this.#base, signal);
    const others = this.#servers(server);
    // The address may be that of a balancer: then the two answers may be of two servers.
    if (view.serverId === server.id && view.consumer && view.consumer.leader === server.name) return view.consumer;
    const stop = new AbortController();
    const within = AbortSignal.any([signal, stop.signal]);
    const seen: JetStreamView[] = [view];
    // All at once, and the first that leads counts: one that is down must not hold up the others.
    const asked = others.slice(0, maxServers).map(async (base) => {
      const { name } = await readServer(this.#http, base, within);
      if (view.consumer?.leader && view.consumer.leader !== name) throw new NotLeading();
      const its = await readJetStream(this.#http, base, this.#name, within);
      seen.push(its);
      if (!its.consumer || its.consumer.leader !== name) throw new NotLeading();
      this.#leader = { base, name };
      return its.consumer;
    });
    try {
      return await Promise.any(asked);
    } catch (error) {
      throw this.#notFound(error, seen, others.length);
    } finally {
      stop.abort();
    }
  }

  /** Monitoring endpoints of all servers of the cluster, as far as one of them knows. */
  #servers({ connectUrls, clusterUrls, name }: ServerView): string[] {
    const { protocol, port, host } = new URL(this.#base);
    const at = (hostname: string) => `${protocol}//${hostname}${port === '' ? '' : `:${port}`}`;
    // Without client addresses, KEDA's rule: each server is known under its name before the host of the endpoint.
    const bases =
      connectUrls.length > 0
        ? connectUrls.map((url) => at(hostOf(url)))
        : [name, ...clusterUrls.map(hostOf)].map((node) => `${protocol}//${node.split('.')[0]}.${host}`);
    return [...new Set([...bases, this.#base])];
  }

  #notFound(error: unknown, seen: readonly JetStreamView[], asked: number): SourceError {
    const failures = error instanceof AggregateError ? error.errors.filter((one) => !(one instanceof NotLeading)) : [];
    const best = seen.find(({ consumer }) => consumer !== null) ?? seen.find(({ hasStream }) => hasStream);
    if (failures.length === 0 && best?.consumer == null) return this.#missing(best ?? seen[0]);
    const { consumer } = this.#name;
    const because = failures[0] === undefined ? '' : `; ${sourceError(failures[0], this.#base).message}`;
    return new SourceError(
      'unreachable',
      `${this.#base}: none of ${asked} servers leads the consumer "${consumer}" and can be asked${because}`,
    );
  }

  #missing(view: JetStreamView | undefined): SourceError {
    const { account, stream, consumer } = this.#name;
    const what = !view?.hasAccount
      ? `account "${account}" with JetStream`
      : !view.hasStream
        ? `stream "${stream}" in account "${account}"`
        : `consumer "${consumer}" of stream "${stream}"`;
    return new SourceError('not-found', `${this.#base}: there is no ${what}`);
  }
}

class NotLeading extends Error {}

/** The host of `host:port`, with brackets where it is an IPv6 address. */
function hostOf(url: string): string {
  return /^(\[[^\]]*\]|[^:]*)/.exec(url.replace(/^[a-z]+:\/\//, ''))?.[1] ?? url;
}
