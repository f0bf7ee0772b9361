import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { choice, list } from '../contract/parameter.ts';
import type { SignIn } from './account.ts';
import { notes, openLag, passwordSignIn, reaction, rights } from './open.ts';
import {
  type CommonSettings,
  commonParameters,
  commonProblems,
  mskProblems,
  trimmed,
  unsupported,
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
  check(settings, written) {
    const problems = commonProblems(settings, topicsOf(settings) !== null, written);
    if (settings.sasl === 'gssapi') {
      problems.push({ parameter: 'sasl', message: unsupported('gssapi'), severity: 'warning' });
    }
    return settings.sasl === 'aws_msk_iam' ? [...problems, ...mskProblems(settings, 'sasl')] : problems;
  },
  target: ({ lagThreshold, activationLagThreshold }) => ({
    target: lagThreshold,
    activationTarget: activationLagThreshold,
  }),
  metricName: (settings) => `kafka-${topicsOf(settings)?.join(',') ?? `${settings.consumerGroup}-topics`}`,
  open: (settings, context) =>
    openLag(settings, { topics: topicsOf(settings), signIn: signInOf(settings), missingTopicsAreEmpty: true }, context),
  example: `type: apache-kafka
metadata:
  bootstrapServers: kafka.example:9092
  consumerGroup: workers
  topic: orders,returns
  lagThreshold: "50"`,
  documentation: {
    reaction,
    rights,
    notes: [...notes, 'A topic that does not exist counts as empty, and the reading says so.'],
  },
});

function topicsOf({ topic }: { topic: readonly string[] | undefined }): readonly string[] | null {
  return topic === undefined || topic.length === 0 ? null : topic;
}

function signInOf(settings: CommonSettings): SignIn {
  const { sasl } = settings;
  if (sasl === 'gssapi' || sasl === 'aws_msk_iam') throw new SourceError('unsupported', unsupported(sasl));
  return passwordSignIn(settings);
}
