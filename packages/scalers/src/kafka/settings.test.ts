import type { PodIdentity } from '../auth/authentication.ts';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { AnyScaler } from '../contract/definition.ts';
import { SettingFault } from '../contract/parameter.ts';
import { readSettings } from '../contract/readSettings.ts';
import { testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger } from '../runtime/openTrigger.ts';
import { apacheKafka } from './apacheKafka.ts';
import { brokerAddress } from './broker.ts';
import { kafka } from './kafka.ts';
import { PartitionLimitation } from './partitionLimitation.ts';

const least = { bootstrapServers: 'a:9092', consumerGroup: 'workers' };

function problemsOf(definition: AnyScaler, metadata: Record<string, string>, auth: Record<string, string> | null = {}) {
  const { settings, problems } = readSettings(definition.parameters, { metadata, auth, env: {} });
  return problems.length > 0 ? problems : (definition.check?.(settings, { metadata, auth: auth ?? null }) ?? []);
}

function messages(definition: AnyScaler, metadata: Record<string, string>, auth: Record<string, string> | null = {}) {
  return problemsOf(definition, { ...least, ...metadata }, auth).map(({ message }) => message);
}

describe.each([
  ['kafka', kafka],
  ['apache-kafka', apacheKafka],
])('settings of %s', (_name, definition) => {
  it("has KEDA's defaults", () => {
    const { settings, problems } = readSettings(definition.parameters, { metadata: least, auth: {}, env: {} });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      lagThreshold: 10,
      activationLagThreshold: 0,
      offsetResetPolicy: 'latest',
      allowIdleConsumers: false,
      scaleToZeroOnInvalidOffset: false,
      excludePersistentLag: false,
      limitToPartitionsWithLag: false,
      ensureEvenDistributionOfPartitions: false,
      tls: 'disable',
      sasl: 'none',
    });
    expect(definition.check?.(settings, { metadata: least, auth: {} })).toEqual([]);
    expect(definition.target(settings)).toEqual({ target: 10, activationTarget: 0 });
    expect(definition.metricName(settings)).toBe('kafka-workers-topics');
  });

  it('reads its own example', () => {
    const { type, metadata } = parse(definition.example) as { type: string; metadata: Record<string, string> };
    expect(type).toBe(definition.type);
    expect(problemsOf(definition, metadata)).toEqual([]);
  });

  it('takes servers, group and topic from the environment', () => {
    const metadata = { bootstrapServersFromEnv: 'SERVERS', consumerGroupFromEnv: 'GROUP', topicFromEnv: 'TOPIC' };
    const env = { SERVERS: 'a:1, b', GROUP: 'g', TOPIC: 't' };
    const { settings, problems } = readSettings(definition.parameters, { metadata, auth: {}, env });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      bootstrapServers: [
        { host: 'a', port: 1 },
        { host: 'b', port: 9092 },
      ],
      consumerGroup: 'g',
    });
    expect(definition.metricName(settings)).toBe('kafka-t');
  });

  it.each<[string, Record<string, string>, Record<string, string>, string]>([
    ['no threshold of 0', { lagThreshold: '0' }, {}, 'lagThreshold must be a whole number, more than 0, found "0"'],
    [
      'no negative activation',
      { activationLagThreshold: '-1' },
      {},
      'activationLagThreshold must be a whole number, 0 or more, found "-1"',
    ],
    [
      'a policy of its own',
      { offsetResetPolicy: 'none' },
      {},
      'offsetResetPolicy must be one of latest, earliest, found "none"',
    ],
    [
      'bad ranges',
      { partitionLimitation: '1-x' },
      {},
      'partitionLimitation must be partition numbers and ranges with commas between, such as 1,2,5-9, found "1-x"',
    ],
    [
      'a limit and idle consumers',
      { topic: 't', limitToPartitionsWithLag: 'true', allowIdleConsumers: 'true' },
      {},
      'allowIdleConsumers and limitToPartitionsWithLag cannot be set together',
    ],
    [
      'a limit and even',
      { topic: 't', limitToPartitionsWithLag: 'true', ensureEvenDistributionOfPartitions: 'true' },
      {},
      'ensureEvenDistributionOfPartitions and limitToPartitionsWithLag cannot be set together',
    ],
    ['a limit without a topic', { limitToPartitionsWithLag: 'true' }, {}, 'limitToPartitionsWithLag needs a topic'],
    [
      'even without a topic',
      { ensureEvenDistributionOfPartitions: 'true' },
      {},
      'ensureEvenDistributionOfPartitions needs a topic',
    ],
    ['a certificate without its key', {}, { tls: 'enable', cert: 'c' }, 'key must be given with cert'],
    ['a key without its certificate', {}, { tls: 'enable', key: 'k' }, 'cert must be given with key'],
    ['no user', { sasl: 'plaintext' }, { password: 'p' }, 'username must be given for sasl "plaintext"'],
    ['no password', {}, { sasl: 'scram_sha256', username: 'u' }, 'password must be given for sasl "scram_sha256"'],
    [
      'bad servers',
      { bootstrapServers: 'a:99999' },
      {},
      'bootstrapServers must be host:port with commas between, found "a:99999"',
    ],
    [
      'unused certificates',
      {},
      { ca: 'c' },
      'ca, cert and key are not used while tls is "disable": set tls to "enable"',
    ],
  ])('says %s', (_case, metadata, auth, message) => {
    expect(messages(definition, metadata, auth)).toEqual([message]);
  });

  it('takes what is not known of the authentication as given', () => {
    expect(messages(definition, { sasl: 'plaintext' }, null)).toEqual([]);
  });

  it('reads secrets that end with a line break', () => {
    const auth = { sasl: 'plaintext\n', username: ' u\n', password: 'p\n', tls: 'disable\n' };
    const { settings, problems } = readSettings(definition.parameters, { metadata: least, auth, env: {} });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ sasl: 'plaintext', username: 'u', password: 'p', tls: 'disable' });
  });

  it('says when a certificate is none', () => {
    const values = { metadata: least, auth: { tls: 'enable', ca: 'not PEM' }, env: {} };
    const context = testContext();
    expect(() => openTrigger(definition, values, context)).toThrow('ca is not a certificate in PEM form');
    expect(context.connections.size).toBe(0);
  });

  it('refuses Kerberos by name', () => {
    expect(messages(definition, { sasl: 'gssapi' })).toHaveLength(1);
    const values = { metadata: { ...least, sasl: 'gssapi' }, auth: {}, env: {} };
    expect(() => openTrigger(definition, values, testContext())).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });
});

describe('settings of kafka alone', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['partial metadata without a topic', { fullMetadata: 'false' }, {}, ['fullMetadata "false" needs a topic']],
    [
      'a version that is none',
      { version: 'two' },
      {},
      ['version must be a version of Kafka such as 3.9.0, found "two"'],
    ],
    ['an old version', { version: '0.10.2.1', topic: 't' }, {}, []],
    [
      'a token without an endpoint',
      {},
      { sasl: 'oauthbearer', username: 'u', password: 'p' },
      ['oauthTokenEndpointUri must be given for sasl "oauthbearer"'],
    ],
    [
      'extensions that are none',
      {},
      { oauthExtensions: 'a=b,c' },
      ['oauthExtensions must be name=value with commas between'],
    ],
    [
      'MSK without TLS and region',
      { sasl: 'oauthbearer', saslTokenProvider: 'aws_msk_iam' },
      {},
      ['aws_msk_iam needs tls "enable"', 'aws_msk_iam needs an awsRegion'],
    ],
  ])('says %s', (_case, metadata, auth, expected) => {
    expect(messages(kafka, metadata, auth)).toEqual(expected);
  });
});

describe('Amazon MSK', () => {
  const byType = [
    [kafka, { sasl: 'oauthbearer', saslTokenProvider: 'aws_msk_iam' }],
    [apacheKafka, { sasl: 'aws_msk_iam' }],
  ] as const;
  it.each(byType)('is opened for whom an account is given', async ({ ...definition }, sasl) => {
    const metadata = { ...least, ...sasl, tls: 'enable', awsRegion: 'r' };
    const open = (auth: Record<string, string>, identity: PodIdentity | null) =>
      openTrigger(definition, { metadata, auth, env: {}, identity }, testContext());
    expect(() => open({}, null)).toThrow('aws_msk_iam needs the pod identity aws, or awsRoleArn');
    expect(() => open({ awsAccessKeyID: 'i' }, null)).toThrow('awsSecretAccessKey is missing');
    expect(() => open({}, { provider: 'aws-eks' })).toThrow('aws-eks takes the role of the target');
    await open({}, { provider: 'aws' }).close();
    await open({ awsRoleArn: 'a' }, null).close();
    await open({ awsAccessKeyID: 'i', awsSecretAccessKey: 'k' }, null).close();
  });
});

describe('settings of apache-kafka alone', () => {
  it('names the metric after all topics', () => {
    const metadata = { ...least, topic: 'a, b' };
    const { settings } = readSettings(apacheKafka.parameters, { metadata, auth: {}, env: {} });
    expect(apacheKafka.metricName(settings)).toBe('kafka-a,b');
  });

  it('knows no oauthbearer', () => {
    expect(messages(apacheKafka, { sasl: 'oauthbearer' })).toEqual([
      'sasl must be one of none, plaintext, scram_sha256, scram_sha512, gssapi, aws_msk_iam, found "oauthbearer"',
    ]);
  });
});

describe('PartitionLimitation', () => {
  it.each([
    ['1,2,5-9', [1, 2, 5, 9], [0, 3, 4, 10]],
    [' 3 ', [3], [2]],
    ['0 - 2, 2-3', [0, 1, 2, 3], [4]],
    ['0-2147483647', [0, 2147483647], []],
  ])('%s', (text, inside, outside) => {
    const limitation = new PartitionLimitation(text);
    expect(inside.filter((partition) => !limitation.has(partition))).toEqual([]);
    expect(outside.filter((partition) => limitation.has(partition))).toEqual([]);
  });

  it.each(['-1', '1-', '5-2', 'a', '1,,2', '1-2-3', '2147483648', '1.5'])('refuses %s', (text) => {
    expect(() => new PartitionLimitation(text)).toThrow(SettingFault);
  });
});

it.each([
  ['broker', { host: 'broker', port: 9092 }],
  [' broker:1 ', { host: 'broker', port: 1 }],
  ['[::1]:9093', { host: '::1', port: 9093 }],
  ['SASL_SSL://broker:9094', { host: 'broker', port: 9094 }],
  ['broker:0', null],
  ['broker:70000', null],
  ['a b', null],
  ['::1', null],
])('reads the address %s', (text, address) => {
  expect(brokerAddress(text)).toEqual(address);
});
