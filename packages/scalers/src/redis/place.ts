import type { SettingProblem, Settings, WrittenSettings } from '../contract/definition.ts';
import { boolean, choice, integer, list, text } from '../contract/parameter.ts';
import type { TlsSettings } from '../runtime/tls.ts';

export type Topology = 'single' | 'cluster' | 'sentinel';

export interface Address {
  host: string;
  port: number;
}

/** Servers and account: triggers with the same one share their connections. */
export interface RedisPlace {
  topology: Topology;
  addresses: readonly Address[];
  database: number;
  username: string | undefined;
  password: string | undefined;
  sentinelMaster: string;
  sentinelUsername: string | undefined;
  sentinelPassword: string | undefined;
  /** Null: no TLS. */
  tls: TlsSettings | null;
}

const everywhere = ['metadata', 'auth', 'env'] as const;
const envFirst = ['metadata', 'env', 'auth'] as const;
const signIn = ['auth'] as const;

export const connectionParameters = {
  address: list({
    from: everywhere,
    description: 'Address of the server as host:port; several with commas for a cluster or sentinels.',
  }),
  addresses: list({ from: everywhere, description: 'The same as `address`.' }),
  host: list({ from: envFirst, description: 'Host or hosts, together with as many ports.' }),
  hosts: list({ from: envFirst, description: 'The same as `host`.' }),
  port: list({ from: envFirst, description: 'Port or ports, as many as hosts.' }),
  ports: list({ from: envFirst, description: 'The same as `port`.' }),
  username: text({ from: envFirst, description: 'User; without it the default user.' }),
  password: text({ from: envFirst, secret: true, description: 'Password.' }),
  databaseIndex: integer({ default: 0, min: 0, description: 'Number of the database; a cluster has only 0.' }),
  enableTLS: boolean({ description: 'Use TLS; or `tls` in the authentication, not both.' }),
  tls: choice(['enable', 'disable'], { from: signIn, description: 'Use TLS; or `enableTLS`, not both.' }),
  unsafeSsl: boolean({ default: false, description: "Do not check the server's certificate." }),
  ca: text({ from: signIn, description: "Certificate of the authority that signed the server's, as PEM." }),
  cert: text({ from: signIn, description: 'Client certificate as PEM; together with `key`.' }),
  key: text({ from: signIn, secret: true, description: 'Key of the client certificate as PEM.' }),
  keyPassword: text({ from: signIn, secret: true, description: 'Password of `key`.' }),
};

/** For the kinds with sentinels. */
export const sentinelParameters = {
  sentinelMaster: text({
    required: true,
    from: everywhere,
    description: 'Name under which the sentinels know the master.',
  }),
  sentinelUsername: text({ from: everywhere, description: 'User at the sentinels.' }),
  sentinelPassword: text({ from: everywhere, secret: true, description: 'Password at the sentinels.' }),
};

export type ConnectionSettings = Settings<typeof connectionParameters>;
export type SentinelSettings = Partial<Settings<typeof sentinelParameters>>;

export function checkConnection(settings: ConnectionSettings, { auth, metadata }: WrittenSettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const fault = (parameter: string, message: string) => problems.push({ parameter, message });
  const hosts = settings.host ?? settings.hosts ?? [];
  const ports = settings.port ?? settings.ports ?? [];
  const isKnown =
    auth !== null && !Object.keys(metadata).some((key) => /^(addresse?s?|hosts?|ports?)FromEnv$/.test(key));
  if (hosts.length > 0 && ports.length > 0 && hosts.length !== ports.length) {
    fault('port', `there must be as many ports as hosts, found ${hosts.length} hosts and ${ports.length} ports`);
  } else if (isKnown && joined(settings).length === 0) {
    fault('address', 'address is missing: give host:port, or host and port');
  }
  for (const text of joined(settings)) {
    if (parseAddress(text) === null) fault('address', `an address must be host:port, found "${withoutAccount(text)}"`);
  }
  if (settings.enableTLS !== undefined && settings.tls !== undefined) {
    fault('enableTLS', 'TLS is set twice: give enableTLS here or tls in the authentication, not both');
  }
  if (auth !== null && (settings.cert === undefined) !== (settings.key === undefined)) {
    fault(settings.cert === undefined ? 'cert' : 'key', 'cert and key belong together');
  }
  return problems;
}

export function placeOf(topology: Topology, settings: ConnectionSettings & SentinelSettings): RedisPlace {
  const { username, password, databaseIndex, ca, cert, key, keyPassword, unsafeSsl } = settings;
  const hasTls = settings.enableTLS ?? settings.tls === 'enable';
  return {
    topology,
    addresses: joined(settings)
      .map(parseAddress)
      .filter((address) => address !== null),
    database: topology === 'cluster' ? 0 : databaseIndex,
    username,
    password,
    sentinelMaster: settings.sentinelMaster ?? '',
    sentinelUsername: settings.sentinelUsername,
    sentinelPassword: settings.sentinelPassword,
    tls: hasTls ? { ca, cert, key, keyPassword, unsafeSsl } : null,
  };
}

/** What may be shown of a place. */
export function whereOf({ addresses }: RedisPlace): string {
  return addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
}

/** Addresses as they are written, and then those from hosts and ports, as KEDA joins them. */
function joined(settings: ConnectionSettings): string[] {
  const hosts = settings.host ?? settings.hosts ?? [];
  const ports = settings.port ?? settings.ports ?? [];
  const pairs =
    hosts.length === ports.length
      ? hosts.map((host, index) => `${host.includes(':') ? `[${host}]` : host}:${ports[index]}`)
      : [];
  return [...(settings.address ?? settings.addresses ?? []), ...pairs];
}

function parseAddress(text: string): Address | null {
  const parts = /^(?:\[([^\]]+)\]|([^:/@[\]]+)):(\d{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}

function withoutAccount(text: string): string {
  return text.replace(/^([a-z]+:\/\/)?.*@/i, '$1…@');
}
