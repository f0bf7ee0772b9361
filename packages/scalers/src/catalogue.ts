import { scalers } from './registry.ts';

/** Where a trigger's target stands in its metadata, with its default. */
export interface TargetKeys {
  /** The first one that is written counts. */
  keys: readonly string[];
  /** Absent: one of the keys must be written. */
  default?: number;
  /** Absent: `activation` and the key that counts. */
  activationKey?: string;
}

/** A trigger type of KEDA that is not available here. */
export interface UnavailableType {
  type: string;
  /** What it looks at. */
  looksAt: string;
  /** Where its target stands, so that a decision can be worked out from readings. Absent: the usual keys are tried. */
  target?: TargetKeys;
}

const queueLength: TargetKeys = { keys: ['queueLength'], default: 5 };

/** The other trigger types of KEDA 2.21, sorted: they are named, shown as Unsupported and never read as 0. */
export const unavailableTypes: readonly UnavailableType[] = [
  { type: 'activemq', looksAt: 'ActiveMQ' },
  { type: 'apache-iggy', looksAt: 'Apache Iggy' },
  { type: 'arangodb', looksAt: 'ArangoDB' },
  { type: 'artemis-queue', looksAt: 'ActiveMQ Artemis' },
  { type: 'aws-cloudwatch', looksAt: 'Amazon CloudWatch' },
  { type: 'aws-dynamodb', looksAt: 'Amazon DynamoDB' },
  { type: 'aws-dynamodb-streams', looksAt: 'Amazon DynamoDB Streams' },
  { type: 'aws-kinesis-stream', looksAt: 'Amazon Kinesis' },
  { type: 'aws-s3', looksAt: 'Amazon S3' },
  { type: 'aws-sqs-queue', looksAt: 'Amazon SQS', target: queueLength },
  { type: 'azure-app-insights', looksAt: 'Azure Application Insights' },
  { type: 'azure-blob', looksAt: 'Azure Blob Storage' },
  { type: 'azure-cosmosdb', looksAt: 'Azure Cosmos DB' },
  { type: 'azure-data-explorer', looksAt: 'Azure Data Explorer' },
  { type: 'azure-eventhub', looksAt: 'Azure Event Hubs' },
  { type: 'azure-log-analytics', looksAt: 'Azure Log Analytics' },
  { type: 'azure-monitor', looksAt: 'Azure Monitor' },
  { type: 'azure-pipelines', looksAt: 'Azure Pipelines' },
  { type: 'azure-queue', looksAt: 'Azure Storage queues', target: queueLength },
  { type: 'azure-servicebus', looksAt: 'Azure Service Bus', target: { keys: ['messageCount'], default: 5 } },
  { type: 'beanstalkd', looksAt: 'Beanstalkd' },
  { type: 'cassandra', looksAt: 'Cassandra' },
  { type: 'clickhouse', looksAt: 'ClickHouse' },
  { type: 'couchdb', looksAt: 'CouchDB' },
  { type: 'datadog', looksAt: 'Datadog' },
  { type: 'dynatrace', looksAt: 'Dynatrace' },
  { type: 'elastic-forecast', looksAt: 'Elastic forecasts' },
  { type: 'elasticsearch', looksAt: 'Elasticsearch' },
  { type: 'etcd', looksAt: 'etcd' },
  { type: 'external-mock', looksAt: "a stand-in of KEDA's own tests" },
  { type: 'forgejo-runner', looksAt: 'Forgejo Actions' },
  { type: 'gcp-cloudtasks', looksAt: 'Google Cloud Tasks' },
  {
    type: 'gcp-pubsub',
    looksAt: 'Google Cloud Pub/Sub',
    target: { keys: ['value', 'subscriptionSize'], default: 10, activationKey: 'activationValue' },
  },
  { type: 'gcp-spanner', looksAt: 'Google Cloud Spanner' },
  { type: 'gcp-stackdriver', looksAt: 'Google Cloud Monitoring' },
  { type: 'gcp-storage', looksAt: 'Google Cloud Storage' },
  { type: 'gitea-runner', looksAt: 'Gitea Actions' },
  { type: 'github-runner', looksAt: 'GitHub Actions' },
  { type: 'graphite', looksAt: 'Graphite' },
  { type: 'huawei-cloudeye', looksAt: 'Huawei Cloud Eye' },
  { type: 'ibmmq', looksAt: 'IBM MQ' },
  { type: 'influxdb', looksAt: 'InfluxDB' },
  { type: 'kubernetes-resource', looksAt: "resources of a cluster's API" },
  { type: 'liiklus', looksAt: 'Liiklus' },
  { type: 'loki', looksAt: 'Loki' },
  { type: 'mongodb', looksAt: 'MongoDB' },
  { type: 'mqtt', looksAt: 'MQTT' },
  { type: 'mssql', looksAt: 'Microsoft SQL Server' },
  { type: 'new-relic', looksAt: 'New Relic' },
  { type: 'nsq', looksAt: 'NSQ' },
  { type: 'opencost', looksAt: 'OpenCost' },
  { type: 'openstack-metric', looksAt: 'OpenStack metrics' },
  { type: 'openstack-swift', looksAt: 'OpenStack Swift' },
  { type: 'predictkube', looksAt: 'PredictKube' },
  { type: 'pulsar', looksAt: 'Apache Pulsar' },
  { type: 'selenium-grid', looksAt: 'Selenium Grid' },
  { type: 'solace-direct-messaging', looksAt: 'Solace direct messaging' },
  { type: 'solace-event-queue', looksAt: 'Solace queues' },
  { type: 'solarwinds', looksAt: 'SolarWinds' },
  { type: 'solr', looksAt: 'Solr' },
  { type: 'splunk', looksAt: 'Splunk' },
  { type: 'splunk-observability', looksAt: 'Splunk Observability' },
  { type: 'stan', looksAt: 'NATS Streaming' },
  { type: 'sumologic', looksAt: 'Sumo Logic' },
  { type: 'temporal', looksAt: 'Temporal' },
];

/** Types that are Ebb's own: KEDA has none of that name. */
export const ownTypes: readonly string[] = ['gpu', 'http', 'kubernetes-metrics'];

const byType = new Map(unavailableTypes.map((one) => [one.type, one]));

export function findUnavailable(type: string): UnavailableType | undefined {
  return byType.get(type);
}

/** Every trigger type that has a name here, for the nearest one to a misspelt name: the available ones first. */
export const knownTypes: readonly string[] = [...scalers, ...unavailableTypes].map(({ type }) => type);
