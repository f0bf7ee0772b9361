import type { PodIdentity } from '../auth/authentication.ts';
import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { choice, list } from '../contract/parameter.ts';
import type { ScalerContext } from '../contract/source.ts';
import type { SignIn } from './account.ts';
import { notes, openLag, passwordSignIn, reaction, rights } from './open.ts';
import {
  type CommonSettings,
  commonParameters,
  commonProblems,
  mskProblems,
  mskSignIn,
  noKerberos,
  trimmed,
} from './settings.ts';

/** KEDA's second scaler for Kafka: several topics at once. */
export const apacheKafka = defineScaler({
  type: 'apache-kafka',
  summary: 'Messages that a Kafka consumer group has not yet committed, over several topics.',
  parameters: {
    ...commonParameters,
    topic: list({
      from: ['metadata', 'env'],
      description: 'Topics to look at, with commas between. Left out: those the group has committed on.',
    }),
    sasl: trimmed(
      choice(['none', 'plaintext', 'scram_sha256', 'scram_sha512', 'gssapi', 'aws_msk_iam'], {
        default: 'none',
        from: ['metadata', 'auth'],
        description: 'How to sign in.',
      }),
    ),
  },
  identities: ['aws'],
  check(settings, written) {
    const problems = commonProblems(settings, topicsOf(settings) !== null, written);
    if (settings.sasl === 'gssapi') {
      problems.push({ parameter: 'sasl', message: noKerberos, severity: 'warning' });
    }
    return settings.sasl === 'aws_msk_iam' ? [...problems, ...mskProblems(settings, 'sasl', written)] : problems;
  },
  target: ({ lagThreshold, activationLagThreshold }) => ({
    target: lagThreshold,
    activationTarget: activationLagThreshold,
  }),
  metricName: (settings) => `kafka-${topicsOf(settings)?.join(',') ?? `${settings.consumerGroup}-topics`}`,
  open(settings, context, { identity = null }) {
    const signIn = signInOf(settings, identity, context);
    return openLag(settings, { topics: topicsOf(settings), signIn, missingTopicsAreEmpty: true }, context);
  },
  example: `type: apache-kafka
metadata:
  bootstrapServers: kafka.example:9092
  consumerGroup: workers
  topic: orders,returns
  lagThreshold: "50"`,
  documentation: {
    reaction,
    rights,
    notes: [
      ...notes,
      'Amazon MSK is signed in to with sasl "aws_msk_iam".',
      'A topic that does not exist counts as empty, and the reading says so.',
    ],
  },
});

function topicsOf({ topic }: { topic: readonly string[] | undefined }): readonly string[] | null {
  return topic === undefined || topic.length === 0 ? null : topic;
}

function signInOf(settings: CommonSettings, identity: PodIdentity | null, context: ScalerContext): SignIn {
  const { sasl } = settings;
  if (sasl === 'gssapi') throw new SourceError('unsupported', noKerberos);
  if (sasl === 'aws_msk_iam') return mskSignIn(settings, identity, context);
  return passwordSignIn(settings);
}
