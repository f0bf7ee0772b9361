/** The Kafka client: some 50 MiB and half a second to load, so never before a first question to a broker. */
export type KafkaClient = typeof import('@platformatic/kafka');

export function loadClient(): Promise<KafkaClient> {
  return import('@platformatic/kafka');
}
