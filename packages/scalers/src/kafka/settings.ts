import type { PodIdentity } from '../auth/authentication.ts';
import { awsAuthorization, awsParameters } from '../auth/cloud/awsAuthorization.ts';
import type { SettingProblem, Settings, WrittenSettings } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { boolean, choice, integer, type Parameter, SettingFault, text } from '../contract/parameter.ts';
import type { SignIn } from './account.ts';
import { type BrokerAddress, brokerAddress } from './broker.ts';
import { mskToken } from './mskToken.ts';
import { PartitionLimitation } from './partitionLimitation.ts';

/** What `kafka` and `apache-kafka` share. */
export const commonParameters = {
  bootstrapServers: bootstrapServers(),
  consumerGroup: text({
    required: true,
    from: ['metadata', 'env'],
    description: 'Consumer group whose lag counts.',
  }),
  partitionLimitation: {
    ...text({ description: 'Only these partitions count, such as 1,2,5-9. Ignored without a topic.' }),
    allowed: 'partition numbers and ranges with commas between, such as 1,2,5-9',
    parse: (value: string) => (value.trim() === '' ? undefined : new PartitionLimitation(value)),
  } as Parameter<PartitionLimitation | undefined>,
  lagThreshold: integer({ default: 10, moreThan: 0, description: 'Lag that one replica is to have, in messages.' }),
  activationLagThreshold: integer({ default: 0, min: 0, description: 'The lag must be above it to leave zero.' }),
  offsetResetPolicy: choice(['latest', 'earliest'], {
    default: 'latest',
    description: 'Where consumers of the group begin without a commit: latest counts 1, earliest the whole partition.',
  }),
  allowIdleConsumers: boolean({ default: false, description: 'Allows more replicas than partitions.' }),
  scaleToZeroOnInvalidOffset: boolean({
    default: false,
    description: 'A partition without a commit counts 0, whatever offsetResetPolicy says.',
  }),
  excludePersistentLag: boolean({
    default: false,
    description:
      'Partitions whose committed offset stands still from one poll to the next do not count for the metric.',
  }),
  limitToPartitionsWithLag: boolean({
    default: false,
    description: 'No more replicas than partitions with lag. Needs a topic.',
  }),
  ensureEvenDistributionOfPartitions: boolean({
    default: false,
    description: 'Replicas in a number that divides the partitions. Needs a topic.',
  }),
  tls: trimmed(
    choice(['enable', 'disable'], {
      default: 'disable',
      from: ['metadata', 'auth'],
      description: 'Whether to speak TLS.',
    }),
  ),
  ca: text({ from: ['auth'], description: 'Certificates that are trusted, PEM.' }),
  cert: text({ from: ['auth'], description: 'Client certificate, PEM.' }),
  key: text({ from: ['auth'], secret: true, description: 'Key of the client certificate, PEM.' }),
  keyPassword: text({ from: ['auth'], secret: true, description: 'Password of the key.' }),
  username: trimmed(text({ from: ['auth'], description: 'User, or the client id for oauthbearer.' })),
  password: trimmed(
    text({ from: ['auth'], secret: true, description: 'Password, or the client secret for oauthbearer.' }),
  ),
  awsRegion: text({ description: 'Region of an Amazon MSK cluster.' }),
  ...awsParameters,
};

/** Settings that the checks and the opening of both scalers look at. */
export interface CommonSettings extends Settings<typeof awsParameters> {
  bootstrapServers: readonly BrokerAddress[];
  consumerGroup: string;
  partitionLimitation: PartitionLimitation | undefined;
  lagThreshold: number;
  activationLagThreshold: number;
  offsetResetPolicy: 'latest' | 'earliest';
  allowIdleConsumers: boolean;
  scaleToZeroOnInvalidOffset: boolean;
  excludePersistentLag: boolean;
  limitToPartitionsWithLag: boolean;
  ensureEvenDistributionOfPartitions: boolean;
  tls: 'enable' | 'disable';
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  keyPassword: string | undefined;
  unsafeSsl?: boolean;
  sasl: string;
  username: string | undefined;
  password: string | undefined;
  awsRegion: string | undefined;
}

/** Faults of the settings that both scalers have, as KEDA finds them. */
export function commonProblems(
  settings: CommonSettings,
  hasTopic: boolean,
  written: WrittenSettings,
): SettingProblem[] {
  const { limitToPartitionsWithLag, allowIdleConsumers, ensureEvenDistributionOfPartitions, tls, cert, key } = settings;
  const problems: SettingProblem[] = [];
  if (limitToPartitionsWithLag && allowIdleConsumers) {
    problems.push(together('allowIdleConsumers', 'limitToPartitionsWithLag'));
  }
  if (limitToPartitionsWithLag && ensureEvenDistributionOfPartitions) {
    problems.push(together('ensureEvenDistributionOfPartitions', 'limitToPartitionsWithLag'));
  }
  for (const name of ['limitToPartitionsWithLag', 'ensureEvenDistributionOfPartitions'] as const) {
    if (settings[name] && !hasTopic) problems.push({ parameter: name, message: `${name} needs a topic` });
  }
  if (written.auth === null) return problems;
  if (tls === 'enable' && (cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    problems.push({ parameter: given, message: `${missing} must be given with ${given}` });
  }
  if (tls === 'disable' && (settings.ca ?? cert ?? key) !== undefined) {
    const message = 'ca, cert and key are not used while tls is "disable": set tls to "enable"';
    problems.push({ parameter: 'tls', message, severity: 'warning' });
  }
  if (['plaintext', 'scram_sha256', 'scram_sha512', 'oauthbearer'].includes(settings.sasl)) {
    for (const name of ['username', 'password'] as const) {
      if (settings[name] !== undefined) continue;
      problems.push({ parameter: name, message: `${name} must be given for sasl "${settings.sasl}"` });
    }
  }
  return problems;
}

/** What Amazon MSK's sign-in needs according to KEDA. */
export function mskProblems(settings: CommonSettings, parameter: string, written: WrittenSettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  if (settings.tls !== 'enable' && written.auth !== null) {
    problems.push({ parameter: 'tls', message: 'aws_msk_iam needs tls "enable"' });
  }
  if (settings.awsRegion === undefined) {
    problems.push({ parameter: 'awsRegion', message: 'aws_msk_iam needs an awsRegion' });
  }
  if (written.auth === null || written.identity === undefined) return problems;
  try {
    if (awsAuthorization(settings, written.identity) === null) problems.push({ parameter, message: mskNeeds });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    problems.push({ parameter, message: error.message });
  }
  return problems;
}

const mskNeeds =
  'aws_msk_iam needs the pod identity aws, or awsRoleArn, or awsAccessKeyID with awsSecretAccessKey, or identityOwner "operator"';

/** The sign-in of Amazon MSK; the settings have been checked. Throws `SourceError`. */
export function mskSignIn(
  settings: CommonSettings,
  identity: PodIdentity | null,
  { cloud }: Pick<ScalerContext, 'cloud'>,
): SignIn {
  const authorization = awsAuthorization(settings, identity);
  if (authorization === null) throw new SourceError('bad-setting', mskNeeds);
  return { kind: 'identity', token: mskToken(cloud, authorization, settings.awsRegion ?? '') };
}

/** For the user of a sign-in that is known and not available. */
export const noKerberos =
  'the Kafka sign-in gssapi is not available here: plaintext, scram_sha256, scram_sha512, oauthbearer, aws_msk_iam and client certificates are';

/** KEDA takes white space around a value away, such as the line break at the end of a secret. */
export function trimmed<Value>(parameter: Parameter<Value>): Parameter<Value> {
  return { ...parameter, parse: (value) => parameter.parse(value.trim()) };
}

function bootstrapServers(): Parameter<readonly BrokerAddress[]> {
  return {
    ...text({
      required: true,
      from: ['metadata', 'env'],
      description: 'Brokers to ask first: host:port with commas between. Port 9092 where none is given.',
    }),
    kind: 'list',
    allowed: 'host:port with commas between',
    parse: (value) => {
      const parts = value.split(',').filter((part) => part.trim() !== '');
      const addresses = parts.map(brokerAddress).filter((address) => address !== null);
      if (addresses.length === 0 || addresses.length < parts.length) {
        throw new SettingFault('must be host:port with commas between');
      }
      return addresses;
    },
  } as Parameter<readonly BrokerAddress[]>;
}

function together(parameter: string, other: string): SettingProblem {
  return { parameter, message: `${parameter} and ${other} cannot be set together` };
}
