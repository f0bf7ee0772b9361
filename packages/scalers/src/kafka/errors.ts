import { SourceError, type SourceErrorCode, sourceError } from '../contract/errors.ts';

/** Kafka's error codes that this scaler has something to say about, by their names in Kafka's protocol. */
export const kafkaCodes = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  replicaNotAvailable: 9,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  invalidGroupId: 24,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  unsupportedVersion: 35,
  saslAuthenticationFailed: 58,
  groupIdNotFound: 69,
  listenerNotFound: 72,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
} as const;

const meanings: Record<number, [SourceErrorCode, string]> = {
  [kafkaCodes.unknownTopicOrPartition]: ['not-found', 'does not exist'],
  [kafkaCodes.leaderNotAvailable]: ['unreachable', 'has no leader at present'],
  [kafkaCodes.notLeaderOrFollower]: ['unreachable', 'is moving to another broker'],
  [kafkaCodes.requestTimedOut]: ['timeout', 'the broker gave up'],
  [kafkaCodes.replicaNotAvailable]: ['unreachable', 'is not available at present'],
  [kafkaCodes.coordinatorLoadInProgress]: ['unreachable', 'its coordinator is loading'],
  [kafkaCodes.coordinatorNotAvailable]: ['unreachable', 'has no coordinator at present'],
  [kafkaCodes.notCoordinator]: ['unreachable', 'is moving to another coordinator'],
  [kafkaCodes.invalidTopic]: ['bad-setting', 'is no name that a topic can have'],
  [kafkaCodes.invalidGroupId]: ['bad-setting', 'is no name that a group can have'],
  [kafkaCodes.topicAuthorizationFailed]: ['unauthorized', 'may not be described by this account'],
  [kafkaCodes.groupAuthorizationFailed]: ['unauthorized', 'may not be described by this account'],
  [kafkaCodes.clusterAuthorizationFailed]: ['unauthorized', 'the account may not ask the cluster'],
  [kafkaCodes.unsupportedSaslMechanism]: ['unauthorized', 'the listener does not offer this kind of sasl'],
  [kafkaCodes.illegalSaslState]: ['unauthorized', 'the listener takes no sign-in: leave sasl out or use another port'],
  [kafkaCodes.unsupportedVersion]: ['unsupported', 'the broker is older than Kafka 1.0'],
  [kafkaCodes.saslAuthenticationFailed]: ['unauthorized', 'refused the sign-in'],
  [kafkaCodes.listenerNotFound]: ['unreachable', 'its leader has no listener of this kind'],
};

/** Codes that pass once leaders and coordinators are looked up again. */
const passing: ReadonlySet<number> = new Set([
  kafkaCodes.unknownTopicOrPartition,
  kafkaCodes.leaderNotAvailable,
  kafkaCodes.notLeaderOrFollower,
  kafkaCodes.replicaNotAvailable,
  kafkaCodes.coordinatorLoadInProgress,
  kafkaCodes.coordinatorNotAvailable,
  kafkaCodes.notCoordinator,
  kafkaCodes.fencedLeaderEpoch,
  kafkaCodes.unknownLeaderEpoch,
]);

/** A failure that may pass when leaders and coordinators are looked up again: worth another attempt. */
export class PassingError extends SourceError {}

/** What an error code of the broker means for `subject`, such as `topic orders`. */
export function codeError(code: number, where: string, subject: string): SourceError {
  const [sourceCode, meaning] = meanings[code] ?? ['bad-answer', `Kafka's error ${code}`];
  const message = `${where}: ${subject === '' ? '' : `${subject} `}${meaning}`;
  return passing.has(code) ? new PassingError(sourceCode, message) : new SourceError(sourceCode, message);
}

/** A failure of the client or of a connection as a `SourceError`. What servers say is left out, save Kafka's own codes. */
export function kafkaError(error: unknown, where: string): SourceError {
  if (error instanceof SourceError) return error;
  const chain = [...causes(error)];
  const inner = chain.find((one) => one instanceof SourceError);
  if (inner) return inner;
  for (const one of chain) {
    const code = property(one, 'apiCode');
    if (typeof code === 'number' && meanings[code]) return codeError(code, where, '');
  }
  if (chain.some((one) => property(one, 'code') === 'PLT_KFK_AUTHENTICATION')) {
    return codeError(kafkaCodes.saslAuthenticationFailed, where, '');
  }
  const known = chain.map((one) => knownMessages(one, where)).find((one) => one !== null);
  return known ?? sourceError(error, where);
}

function knownMessages(error: Error, where: string): SourceError | null {
  const { message } = error;
  if (/timed out/i.test(message))
    return new SourceError('timeout', `${where}: no answer within the time`, { cause: error });
  if (message === 'Broker requires TLS.') {
    return new SourceError('unreachable', `${where}: the listener speaks TLS: set tls to enable`, { cause: error });
  }
  if (message.startsWith('TLS handshake failed')) {
    return new SourceError('unreachable', `${where}: the listener does not speak TLS: set tls to disable`, {
      cause: error,
    });
  }
  if (message.startsWith('Connection closed')) {
    const hint = 'the broker closed the connection (a listener that wants sasl, tls or a client certificate does so)';
    return new PassingError('unreachable', `${where}: ${hint}`, { cause: error });
  }
  return null;
}

const deepestCause = 8;

function* causes(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > deepestCause) return;
  yield error;
  if (error instanceof AggregateError) for (const one of error.errors) yield* causes(one, depth + 1);
  yield* causes(error.cause, depth + 1);
}

function property(error: Error, name: string): unknown {
  return name in error ? (error as unknown as Record<string, unknown>)[name] : undefined;
}
