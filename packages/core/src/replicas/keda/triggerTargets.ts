/**
 * Where each scaler's target stands in a trigger's metadata, with its default (KEDA's scalers; keys of
 * pkg/scalers/*_scaler.go). The activation key is `activation` and the target's key unless it is named here.
 */
interface TargetKeys {
  /** The first one that is written counts. */
  keys: readonly string[];
  /** Absent: one of the keys must be written. */
  default?: number;
  /** Absent: made from the key that counts. */
  activationKey?: string;
  /** Every trigger of the type has this target, whatever its metadata. */
  fixed?: number;
}

const redisLists: TargetKeys = { keys: ['listLength'], default: 5 };
const redisStreams: TargetKeys = {
  keys: ['lagCount', 'pendingEntriesCount', 'streamLength'],
  default: 5,
  activationKey: 'activationLagCount',
};
const kafka: TargetKeys = { keys: ['lagThreshold'], default: 10 };
const query: TargetKeys = { keys: ['queryValue'] };
const length: TargetKeys = { keys: ['queueLength'], default: 5 };

const targetKeys: Record<string, TargetKeys> = {
  'apache-kafka': kafka,
  'aws-sqs-queue': length,
  'azure-queue': length,
  'azure-servicebus': { keys: ['messageCount'], default: 5 },
  // A window of time is a floor: its value is desiredReplicas or 0, and each replica stands for one.
  cron: { keys: [], fixed: 1 },
  'gcp-pubsub': { keys: ['value', 'subscriptionSize'], default: 10, activationKey: 'activationValue' },
  kafka,
  'kubernetes-workload': { keys: ['value'] },
  'metrics-api': { keys: ['targetValue'] },
  mysql: query,
  'nats-jetstream': kafka,
  postgresql: { keys: ['targetQueryValue'] },
  prometheus: { keys: ['threshold'] },
  rabbitmq: { keys: ['value', 'queueLength'], default: 20, activationKey: 'activationValue' },
  redis: redisLists,
  'redis-cluster': redisLists,
  'redis-cluster-streams': redisStreams,
  'redis-sentinel': redisLists,
  'redis-sentinel-streams': redisStreams,
  'redis-streams': redisStreams,
};

/** Names that scalers outside the table use most, tried in this order. */
const usualKeys: TargetKeys = {
  keys: ['targetValue', 'threshold', 'value', 'queryValue', 'queueLength', 'lagThreshold', 'targetQueryValue'],
};

export interface TriggerTarget {
  target: number;
  activationTarget: number;
}

/** A trigger whose metadata does not say what is aimed at. */
export class TriggerTargetError extends Error {
  readonly trigger: string;
  /** Key of the metadata. */
  readonly key: string;
  constructor(trigger: string, key: string, message: string) {
    super(message);
    this.name = 'TriggerTargetError';
    this.trigger = trigger;
    this.key = key;
  }
}

interface Trigger {
  name: string;
  type: string;
  metadata: Record<string, string>;
}

/**
 * Target and activation value of a trigger that is not cpu or memory, from its metadata. Throws `TriggerTargetError`
 * where there is none, or none that is a number above zero.
 */
export function triggerTarget(trigger: Trigger): TriggerTarget {
  const rules = (Object.hasOwn(targetKeys, trigger.type) ? targetKeys[trigger.type] : undefined) ?? usualKeys;
  const key = rules.keys.find((name) => Object.hasOwn(trigger.metadata, name));
  const activationKey = rules.activationKey ?? activationName(key ?? rules.keys[0] ?? '');
  const activationTarget = numberAt(trigger, activationKey) ?? 0;
  if (rules.fixed !== undefined) return { target: rules.fixed, activationTarget: 0 };
  const target = key === undefined ? rules.default : numberAt(trigger, key);
  if (target === undefined) {
    const wanted = rules.keys[0] ?? '';
    const others = rules === usualKeys ? ` (looked for ${rules.keys.join(', ')})` : '';
    throw new TriggerTargetError(trigger.name, wanted, `${title(trigger)}: metadata.${wanted} is missing${others}`);
  }
  if (target <= 0) {
    const at = key ?? '';
    throw new TriggerTargetError(
      trigger.name,
      at,
      `${title(trigger)}: metadata.${at} must be more than 0, found ${target}`,
    );
  }
  return { target, activationTarget };
}

/** `lagThreshold` → `activationLagThreshold`. */
function activationName(key: string): string {
  return `activation${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
}

function numberAt(trigger: Trigger, key: string): number | undefined {
  const text = Object.hasOwn(trigger.metadata, key) ? trigger.metadata[key] : undefined;
  if (text === undefined) return undefined;
  const value = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new TriggerTargetError(
    trigger.name,
    key,
    `${title(trigger)}: metadata.${key} must be a number, found "${text}"`,
  );
}

function title({ name, type }: Trigger): string {
  return `trigger "${name}" (${type})`;
}
