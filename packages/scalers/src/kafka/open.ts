import type { ScalerContext, TriggerSource } from '../contract/source.ts';
import type { SignIn } from './account.ts';
import type { CommonSettings } from './settings.ts';
import { openGroupLag } from './source.ts';

/** What differs between the two scalers when a trigger is opened. */
export interface Particulars {
  topics: readonly string[] | null;
  signIn: SignIn;
  missingTopicsAreEmpty: boolean;
}

/** Opens the lag of the settings' group. Throws `SourceError` for certificates that cannot be used. */
export function openLag(settings: CommonSettings, particulars: Particulars, context: ScalerContext): TriggerSource {
  const { bootstrapServers, tls, ca, cert, key, keyPassword, unsafeSsl } = settings;
  const { topics, signIn, missingTopicsAreEmpty } = particulars;
  const account = {
    bootstrapServers,
    signIn,
    tls: tls === 'enable' ? { ca, cert, key, keyPassword, unsafeSsl } : null,
  };
  const rules = {
    ...settings,
    topics,
    partitionLimitation: settings.partitionLimitation ?? null,
    missingTopicsAreEmpty,
  };
  return openGroupLag(settings.consumerGroup, account, rules, context);
}

/** The sign-in of those kinds that both scalers have; the settings have been checked. */
export function passwordSignIn({ sasl, username = '', password = '' }: CommonSettings): SignIn {
  if (sasl === 'plaintext' || sasl === 'scram_sha256' || sasl === 'scram_sha512')
    return { kind: sasl, username, password };
  return { kind: 'none' };
}

/** What both scalers say about themselves. */
export const reaction =
  'A long poll at the end of the log tells of new messages within milliseconds; commits are seen in rounds at the pace, ' +
  'one request a broker for all triggers of a cluster. Without the right to read the topic, rounds alone.';

export const rights =
  'Describe on the topics and on the group. Read on the topics for the long poll, which belongs to no group and commits nothing.';

export const notes = [
  'The lag of a partition is the end of its log less the committed offset.',
  'A partition without a commit counts 1 (offsetResetPolicy latest) or its whole log (earliest), or 0 with scaleToZeroOnInvalidOffset.',
  'The metric never asks for more replicas than partitions, unless allowIdleConsumers is true.',
  'A poll for excludePersistentLag is one round at the pace; a message that is told in between counts as none.',
  'Without a topic all partitions of the topics count on which the group has committed.',
] as const;
