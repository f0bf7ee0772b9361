import type { SettingProblem, Settings, WrittenSettings } from '../contract/definition.ts';
import { boolean, choice, integer, list, number, type Parameter, SettingFault, text } from '../contract/parameter.ts';
import { amqpAddress, managementAddress, protocolOf } from './address.ts';
import { type Mode, modes, operations } from './queueStatus.ts';

const signIn = ['auth'] as const;

export const parameters = {
  queueName: text({ required: true, description: 'Name of the queue; with `useRegex` a regular expression of names.' }),
  host: text({
    required: true,
    from: ['metadata', 'auth', 'env'],
    secret: true,
    description:
      'URL of the broker (amqp, amqps) or of its management plugin (http, https), with user, password and virtual host: `amqp://user:password@host:5672/vhost`.',
  }),
  protocol: choice(['auto', 'http', 'amqp'], {
    default: 'auto',
    from: ['metadata', 'auth'],
    description: 'How the broker is asked; `auto` goes by the scheme of `host`.',
  }),
  mode: choice(modes, { description: 'What is measured; every mode but QueueLength needs http.' }),
  value: number({ min: 0, description: 'What one replica is to have, by `mode`; 20 where nothing is given.' }),
  activationValue: number({ default: 0, description: 'Active strictly above this value.' }),
  queueLength: number({ min: 0, deprecated: 'mode: QueueLength and value', description: 'Messages for each replica.' }),
  vhostName: text({ from: ['metadata', 'auth'], description: 'Virtual host, instead of the one in `host`.' }),
  useRegex: boolean({ default: false, description: '`queueName` is a regular expression (http only).' }),
  pageSize: integer({ default: 100, min: 1, description: 'Most queues that `useRegex` may match.' }),
  operation: choice(operations, {
    default: 'sum',
    description: 'How the queues that `useRegex` matches are put together.',
  }),
  excludeUnacknowledged: boolean({ default: false, description: 'Count ready messages only (http only).' }),
  timeout: durationMs('Longest time for one answer, in ms or as a duration such as 3s (http only).'),
  username: text({
    from: ['auth', 'env'],
    description: 'User, instead of the one in `host`; together with `password`.',
  }),
  password: text({ from: ['auth', 'env'], secret: true, description: 'Password of `username`.' }),
  tls: choice(['enable', 'disable'], { default: 'disable', from: signIn, description: 'Use `ca`, `cert` and `key`.' }),
  ca: text({ from: signIn, description: "Certificate of the authority that signed the broker's, as PEM." }),
  cert: text({ from: signIn, description: 'Client certificate as PEM; together with `key`.' }),
  key: text({ from: signIn, secret: true, description: 'Key of the client certificate as PEM.' }),
  keyPassword: text({ from: signIn, secret: true, description: 'Password of `key`.' }),
  unsafeSsl: boolean({ default: false, description: "Do not check the broker's certificate." }),
  workloadIdentityResource: text({
    from: signIn,
    description: 'Whom the token of the pod identity `azure-workload` is for (http only).',
  }),
  oauthTokenURI: text({ from: signIn, description: 'Where OAuth 2 tokens come from (http only).' }),
  clientID: text({ from: signIn, description: 'Client of the OAuth 2 token.' }),
  clientSecret: text({ from: signIn, secret: true, description: 'Secret of the OAuth 2 client.' }),
  scopes: list({ from: signIn, description: 'Scopes of the OAuth 2 token.' }),
  endpointParams: text({
    from: signIn,
    description: 'Further fields of the token request: `audience=rabbitmq&resource=api`.',
  }),
};

export type RabbitMqSettings = Settings<typeof parameters>;

export const defaultQueueLength = 20;

/** Mode and target by KEDA's rules: without any it is 20 messages, and 0 counts as not given. */
export function modeAndValue({ mode, value, queueLength }: RabbitMqSettings): { mode: Mode; value: number } {
  if (queueLength) return { mode: 'QueueLength', value: queueLength };
  if (mode !== undefined && value) return { mode, value };
  return { mode: 'QueueLength', value: defaultQueueLength };
}

export function check(settings: RabbitMqSettings, { auth, metadata }: WrittenSettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const fault = (parameter: string, message: string) => problems.push({ parameter, message });
  const { mode, value, queueLength, cert, key, username, password, timeout } = settings;
  const known = auth !== null;
  const protocol = knownProtocol(settings, fault);

  if (known && (cert === undefined) !== (key === undefined)) {
    fault(cert === undefined ? 'cert' : 'key', 'cert and key belong together');
  }
  const hasUsername = username !== undefined || 'usernameFromEnv' in metadata;
  const hasPassword = password !== undefined || 'passwordFromEnv' in metadata;
  if (known && hasUsername !== hasPassword) {
    fault(hasUsername ? 'password' : 'username', 'username and password belong together');
  }
  checkOAuth(settings, protocol, fault);
  if (settings.workloadIdentityResource !== undefined && protocol === 'amqp') {
    fault('workloadIdentityResource', 'workloadIdentityResource cannot be used with the protocol amqp');
  }
  for (const name of ['useRegex', 'excludeUnacknowledged'] as const) {
    if (settings[name] && protocol === 'amqp') fault(name, `${name} needs the protocol http, found amqp`);
  }
  if (!queueLength && mode === undefined && !value) return problems;
  if (queueLength) {
    if (mode !== undefined || value)
      fault('queueLength', 'queueLength is deprecated and cannot be used with mode or value');
    return problems;
  }
  if (mode === undefined) fault('mode', `value needs mode: ${modes.join(', ')}`);
  else if (!value) fault('value', `mode ${mode} needs value, a number more than 0`);
  else if (mode !== 'QueueLength' && protocol === 'amqp')
    fault('mode', `mode ${mode} needs the protocol http, found amqp`);
  else if (timeout && protocol === 'amqp') fault('timeout', 'timeout cannot be set with the protocol amqp');
  return problems;
}

/** Undefined where it cannot be known yet, or where it is wrong and was told. */
function knownProtocol(
  settings: RabbitMqSettings,
  fault: (parameter: string, message: string) => void,
): 'amqp' | 'http' | undefined {
  const host: string | undefined = settings.host;
  if (host === undefined) return settings.protocol === 'auto' ? undefined : settings.protocol;
  try {
    const protocol = protocolOf(host, settings.protocol);
    if (protocol === 'amqp') amqpAddress(host, settings);
    else managementAddress(host, settings);
    return protocol;
  } catch (error) {
    if (!(error instanceof SettingFault)) throw error;
    fault('host', `host ${error.message}`);
    return undefined;
  }
}

function checkOAuth(
  { oauthTokenURI, clientID, clientSecret, username, workloadIdentityResource }: RabbitMqSettings,
  protocol: 'amqp' | 'http' | undefined,
  fault: (parameter: string, message: string) => void,
): void {
  const given = { oauthTokenURI, clientID, clientSecret };
  const missing = Object.entries(given).filter(([, one]) => one === undefined);
  if (missing.length === 3) return;
  const [first] = missing;
  if (first) return fault(first[0], `OAuth 2 needs oauthTokenURI, clientID and clientSecret: ${first[0]} is missing`);
  if (protocol === 'amqp') fault('oauthTokenURI', 'OAuth 2 needs the protocol http, found amqp');
  if (username !== undefined || workloadIdentityResource !== undefined) {
    fault('oauthTokenURI', 'OAuth 2 cannot be used together with username and password or workload identity');
  }
}

const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration, or a whole number of milliseconds; 0 is as if it were not given. */
function durationMs(description: string): Parameter<number | undefined> {
  const allowed = 'a duration such as 3s or 500ms, or a whole number of ms, 0 or more';
  const { default: _none, ...base } = text({ description });
  return {
    ...base,
    allowed,
    parse(written) {
      if (/^\d+$/.test(written)) return Number(written);
      const parts = [...written.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
      if (parts.length === 0 || parts.map(([part]) => part).join('') !== written)
        throw new SettingFault(`must be ${allowed}`);
      return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0);
    },
  };
}
