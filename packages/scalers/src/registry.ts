import type { AnyScaler } from './contract/definition.ts';
import { cron } from './cron.ts';
import { eventScaler } from './event.ts';
import { external, externalPush } from './external/external.ts';
import { gpu } from './gpu/gpu.ts';
import { http } from './inside/http.ts';
import { kubernetesMetrics } from './inside/kubernetesMetrics.ts';
import { kubernetesWorkload } from './inside/kubernetesWorkload.ts';
import { cpu, memory } from './inside/resourceMetrics.ts';
import { apacheKafka } from './kafka/apacheKafka.ts';
import { kafka } from './kafka/kafka.ts';
import { metricsApi } from './metricsApi/metricsApi.ts';
import { natsJetStream } from './nats/natsJetStream.ts';
import { prometheus } from './prometheus/prometheus.ts';
import { rabbitmq } from './rabbitmq/rabbitmq.ts';
import { redis, redisCluster, redisSentinel } from './redis/lists.ts';
import { redisClusterStreams, redisSentinelStreams, redisStreams } from './redis/streams.ts';
import { scheduleScaler } from './schedule.ts';
import { mysql } from './sql/mysql.ts';
import { postgresql } from './sql/postgresql.ts';

/** One line a scaler, sorted by type. Their client libraries are loaded when a trigger is opened. */
export const scalers: readonly AnyScaler[] = [
  apacheKafka,
  cpu,
  cron,
  external,
  externalPush,
  gpu,
  http,
  kafka,
  kubernetesMetrics,
  kubernetesWorkload,
  memory,
  metricsApi,
  mysql,
  natsJetStream,
  postgresql,
  prometheus,
  rabbitmq,
  redis,
  redisCluster,
  redisClusterStreams,
  redisSentinel,
  redisSentinelStreams,
  redisStreams,
];

/** What stands in a Workload document beside its triggers, as listings name it. */
export interface ScalerDescription {
  type: string;
  summary: string;
}

/** Calendars of a Workload document, which are no triggers. */
export const calendars: readonly ScalerDescription[] = [eventScaler, scheduleScaler];

const byType = new Map(scalers.map((scaler) => [scaler.type, scaler]));

/** The scaler of a trigger's type; undefined: not available here. */
export function findScaler(type: string): AnyScaler | undefined {
  return byType.get(type);
}
