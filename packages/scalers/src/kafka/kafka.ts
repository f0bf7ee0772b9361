import type { PodIdentity } from '../auth/authentication.ts';
import { defineScaler, type SettingProblem } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { boolean, choice, type Parameter, SettingFault, text } from '../contract/parameter.ts';
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

const kerberos = 'Kerberos is not available here.';

/** KEDA's lag of a consumer group in Apache Kafka and what speaks its protocol. */
export const kafka = defineScaler({
  type: 'kafka',
  summary: 'Messages that a Kafka consumer group has not yet committed.',
  parameters: {
    ...commonParameters,
    topic: trimmed(
      text({ from: ['metadata', 'env'], description: 'Topic to look at. Left out: those the group has committed on.' }),
    ),
    fullMetadata: boolean({
      default: true,
      description: 'Accepted for compatibility: only the topics that matter are ever asked for. "false" needs a topic.',
    }),
    version: version(),
    unsafeSsl: boolean({ default: false, description: "Does not check the broker's certificate." }),
    sasl: trimmed(
      choice(['none', 'plaintext', 'scram_sha256', 'scram_sha512', 'oauthbearer', 'gssapi'], {
        default: 'none',
        from: ['metadata', 'auth'],
        description: 'How to sign in.',
      }),
    ),
    saslTokenProvider: trimmed(
      choice(['bearer', 'aws_msk_iam'], {
        default: 'bearer',
        from: ['metadata', 'auth'],
        description: 'Who gives the token for oauthbearer.',
      }),
    ),
    oauthTokenEndpointUri: trimmed(text({ from: ['auth'], description: 'Where oauthbearer gets its token.' })),
    scopes: text({ from: ['auth'], description: 'Scopes of the token, with commas between.' }),
    oauthExtensions: extensions(),
    keytab: text({ from: ['auth'], secret: true, description: kerberos }),
    realm: text({ from: ['auth'], description: kerberos }),
    kerberosConfig: text({ from: ['auth'], description: kerberos }),
    kerberosServiceName: text({ from: ['auth'], description: kerberos }),
    kerberosDisableFAST: boolean({ default: false, from: ['auth'], description: kerberos }),
  },
  identities: ['aws'],
  check(settings, written) {
    const hasTopic = settings.topic !== undefined;
    const problems = commonProblems(settings, hasTopic, written);
    if (!settings.fullMetadata && !hasTopic) {
      problems.push({ parameter: 'fullMetadata', message: 'fullMetadata "false" needs a topic' });
    }
    if (settings.sasl === 'gssapi') {
      problems.push({ parameter: 'sasl', message: noKerberos, severity: 'warning' });
    }
    if (settings.sasl !== 'oauthbearer') return problems;
    if (settings.saslTokenProvider === 'aws_msk_iam') {
      const isAccountProblem = ({ parameter }: SettingProblem) => parameter === 'username' || parameter === 'password';
      return [
        ...problems.filter((one) => !isAccountProblem(one)),
        ...mskProblems(settings, 'saslTokenProvider', written),
      ];
    }
    if (written.auth !== null && settings.oauthTokenEndpointUri === undefined) {
      const message = 'oauthTokenEndpointUri must be given for sasl "oauthbearer"';
      problems.push({ parameter: 'oauthTokenEndpointUri', message });
    } else if (settings.oauthTokenEndpointUri !== undefined && !/^https?:\/\//.test(settings.oauthTokenEndpointUri)) {
      problems.push({
        parameter: 'oauthTokenEndpointUri',
        message: 'oauthTokenEndpointUri must be a URL with http or https',
      });
    }
    return problems;
  },
  target: ({ lagThreshold, activationLagThreshold }) => ({
    target: lagThreshold,
    activationTarget: activationLagThreshold,
  }),
  metricName: ({ topic, consumerGroup }) => (topic === undefined ? `kafka-${consumerGroup}-topics` : `kafka-${topic}`),
  open(settings, context, { identity = null }) {
    const topics = settings.topic === undefined ? null : [settings.topic];
    const signIn = signInOf(settings, identity, context);
    return openLag(settings, { topics, signIn, missingTopicsAreEmpty: false }, context);
  },
  example: `type: kafka
metadata:
  bootstrapServers: kafka.example:9092
  consumerGroup: workers
  topic: orders
  lagThreshold: "50"`,
  documentation: {
    reaction,
    rights,
    notes: [
      ...notes,
      'A topic that does not exist is an error; it is never made by asking for it.',
      'Amazon MSK is signed in to with sasl "oauthbearer" and saslTokenProvider "aws_msk_iam".',
      'The version setting is checked and not needed: broker and client agree on one (Kafka 1.0 or later).',
    ],
  },
});

interface OauthSettings extends CommonSettings {
  saslTokenProvider: 'bearer' | 'aws_msk_iam';
  oauthTokenEndpointUri: string | undefined;
  scopes: string | undefined;
  oauthExtensions: Readonly<Record<string, string>>;
}

function signInOf(settings: OauthSettings, identity: PodIdentity | null, context: ScalerContext): SignIn {
  const { sasl, username = '', password = '' } = settings;
  if (sasl === 'gssapi') throw new SourceError('unsupported', noKerberos);
  if (sasl !== 'oauthbearer') return passwordSignIn(settings);
  if (settings.saslTokenProvider === 'aws_msk_iam') return mskSignIn(settings, identity, context);
  const scopes = (settings.scopes ?? '')
    .split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
  const tokenUrl = settings.oauthTokenEndpointUri ?? '';
  const client = { tokenUrl, clientId: username, clientSecret: password, scopes };
  return { kind: 'oauthbearer', client, extensions: settings.oauthExtensions };
}

function version(): Parameter<string> {
  const parameter = text({ default: '1.0.0', description: "Kafka's version; checked and not needed." });
  return {
    ...parameter,
    allowed: 'a version of Kafka such as 3.9.0',
    parse: (value) => {
      const given = value.trim();
      if (/^(0\.\d+\.\d+\.\d+|[1-9]\d*\.\d+\.\d+)$/.test(given)) return given;
      throw new SettingFault('must be a version of Kafka such as 3.9.0');
    },
  };
}

function extensions(): Parameter<Readonly<Record<string, string>>> {
  const parameter = text({
    from: ['auth'],
    description: 'Further fields for oauthbearer: name=value with commas between.',
  });
  return {
    ...parameter,
    default: {},
    allowed: 'name=value with commas between',
    parse: (value) =>
      Object.fromEntries(
        value.split(',').map((pair) => {
          const parts = pair.split('=');
          const [name = '', field = ''] = parts;
          if (parts.length !== 2 || name.trim() === '')
            throw new SettingFault('must be name=value with commas between');
          return [name.trim(), field.trim()];
        }),
      ),
  };
}
