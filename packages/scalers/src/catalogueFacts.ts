/** What listings say of a scaler in a word. */
export interface ScalerFacts {
  /** How news reach Ebb, in a few words; the definition's documentation has the sentence. */
  news: 'pushed' | 'pushed where possible' | 'asked' | 'known ahead' | 'measured';
  /** What its tests read. */
  testedAgainst: string;
}

const ownServer = 'a server of the tests';
const redis7 = 'Redis 7.0';

const facts: Readonly<Record<string, ScalerFacts>> = {
  'apache-kafka': { news: 'pushed', testedAgainst: 'Apache Kafka 4.1' },
  cpu: { news: 'measured', testedAgainst: 'processes of this machine' },
  cron: { news: 'known ahead', testedAgainst: "robfig/cron, which is KEDA's" },
  external: { news: 'asked', testedAgainst: `${ownServer} over gRPC` },
  'external-push': { news: 'pushed', testedAgainst: `${ownServer} over gRPC` },
  gpu: { news: 'asked', testedAgainst: 'answers of nvidia-smi and of a DCGM exporter' },
  http: { news: 'pushed', testedAgainst: "Ebb's gateway" },
  kafka: { news: 'pushed', testedAgainst: 'Apache Kafka 4.1' },
  'kubernetes-metrics': { news: 'asked', testedAgainst: "Kubernetes 1.36 and Ebb's own metrics API" },
  'kubernetes-workload': { news: 'asked', testedAgainst: "Ebb's own workloads" },
  memory: { news: 'measured', testedAgainst: 'processes of this machine' },
  'metrics-api': { news: 'asked', testedAgainst: `${ownServer} over HTTP` },
  mysql: { news: 'asked', testedAgainst: 'MariaDB 10.11' },
  'nats-jetstream': { news: 'pushed where possible', testedAgainst: 'NATS 2.9' },
  postgresql: { news: 'asked', testedAgainst: 'PostgreSQL 15' },
  prometheus: { news: 'asked', testedAgainst: 'Prometheus 2.42' },
  rabbitmq: { news: 'asked', testedAgainst: 'RabbitMQ 3.10' },
  redis: { news: 'pushed where possible', testedAgainst: redis7 },
  'redis-cluster': { news: 'asked', testedAgainst: `${redis7}, a cluster` },
  'redis-cluster-streams': { news: 'asked', testedAgainst: `${redis7}, a cluster` },
  'redis-sentinel': { news: 'pushed where possible', testedAgainst: `${redis7} with sentinels` },
  'redis-sentinel-streams': { news: 'pushed where possible', testedAgainst: `${redis7} with sentinels` },
  'redis-streams': { news: 'pushed where possible', testedAgainst: redis7 },
};

/** Throws where a scaler is not in the table; a test asks for each. */
export function factsOf(type: string): ScalerFacts {
  const found = Object.hasOwn(facts, type) ? facts[type] : undefined;
  if (!found) throw new Error(`no facts of the scaler ${type}`);
  return found;
}
