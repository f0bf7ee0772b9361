import { SourceError } from '../contract/errors.ts';
import type { HttpClient } from '../runtime/http.ts';

/** A consumer as one server's monitoring endpoint tells it. */
export interface ConsumerView {
  /** Not delivered yet, or delivered and not acknowledged. */
  lag: number;
  /** Name of the server that knows; empty where there is no cluster or none is chosen now. */
  leader: string;
  /** What is published under these subjects reaches the consumer. */
  subjects: readonly string[];
}

/** What one server says about a stream. */
export interface JetStreamView {
  serverId: string;
  /** Servers that together hold JetStream; 0 where there is no cluster. */
  clusterSize: number;
  hasAccount: boolean;
  hasStream: boolean;
  consumer: ConsumerView | null;
}

/** Who a server is and whom else it knows. */
export interface ServerView {
  id: string;
  name: string;
  /** `host:port` at which clients reach the servers of the cluster. */
  connectUrls: readonly string[];
  /** `host:port` at which the servers reach each other. */
  clusterUrls: readonly string[];
}

/** Whose stream and consumer is asked for. */
export interface ConsumerName {
  /** Name or id. */
  account: string;
  stream: string;
  consumer: string;
}

/** Asks `/jsz` (https://docs.nats.io/running-a-nats-service/nats_admin/monitoring#jetstream-information). */
export async function readJetStream(
  http: HttpClient,
  base: string,
  { account, stream, consumer }: ConsumerName,
  signal: AbortSignal,
): Promise<JetStreamView> {
  const url = `${base}/jsz?acc=${encodeURIComponent(account)}&consumers=true&config=true`;
  const body = objectOf(await http.json({ url, signal }), base);
  // Servers before 2.10 answer with all accounts when there is none of that name.
  const accounts = list(body.account_details).filter(({ name, id }) => name === account || id === account);
  const found = accounts.flatMap((one) => list(one.stream_detail)).find(({ name }) => name === stream);
  const detail = found && list(found.consumer_detail).find(({ name }) => name === consumer);
  return {
    serverId: text(body.server_id),
    clusterSize: count(record(body.meta_cluster).cluster_size),
    hasAccount: accounts.length > 0,
    hasStream: found !== undefined,
    consumer: detail ? consumerOf(detail, found) : null,
  };
}

/** Asks `/varz`. */
export async function readServer(http: HttpClient, base: string, signal: AbortSignal): Promise<ServerView> {
  const body = objectOf(await http.json({ url: `${base}/varz`, signal }), base);
  return {
    id: text(body.server_id),
    name: text(body.server_name),
    connectUrls: texts(body.connect_urls),
    clusterUrls: texts(record(body.cluster).urls),
  };
}

function consumerOf(detail: Record<string, unknown>, stream: Record<string, unknown>): ConsumerView {
  const { filter_subject: one, filter_subjects: several } = record(detail.config);
  const filtered = [...texts(several), ...(text(one) === '' ? [] : [text(one)])];
  return {
    lag: count(detail.num_pending) + count(detail.num_ack_pending),
    leader: text(record(detail.cluster).leader),
    subjects: filtered.length > 0 ? filtered : texts(record(stream.config).subjects),
  };
}

function objectOf(value: unknown, base: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new SourceError('bad-answer', `${base}: this is not the answer of a monitoring endpoint of NATS`);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}
