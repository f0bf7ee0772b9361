import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { type Clock, ProviderError } from '@ebb/core';
import type { AwsPoolSpec } from '@ebb/documents';
import type { ProviderPorts, SecretName } from '../contract.ts';

type Ec2Module = typeof import('@aws-sdk/client-ec2');
type AutoScalingModule = typeof import('@aws-sdk/client-auto-scaling');

/** One account's clients, and the modules with their commands. */
export interface AwsAccount {
  ec2: EC2Client;
  autoScaling: AutoScalingClient;
  ec2Commands: Ec2Module;
  groupCommands: AutoScalingModule;
  /** AWS' clock minus Ebb's, as its last answer had it: good to a second. */
  skewMs(): number;
}

export interface AwsClientsOptions {
  region: string;
  endpoint: string | null;
  ports: ProviderPorts;
}

const connectWithinMs = 5_000;
const answerWithinMs = 20_000;
const attempts = 3;
/** Credentials out of a Secret are asked for again after this, so that changed ones count. */
const credentialsForMs = 300_000;

/** Clients by the Secret that has their credentials. The libraries, which take a while, are loaded with the first one. */
export class AwsClients {
  readonly #options: AwsClientsOptions;
  readonly #accounts = new Map<string, Promise<AwsAccount>>();

  constructor(options: AwsClientsOptions) {
    this.#options = options;
  }

  /** Of a pool; a pool that says nothing of AWS has the default chain. */
  of(pool: { key: { namespace: string }; aws: Pick<AwsPoolSpec, 'credentialsSecretRef'> | null }): Promise<AwsAccount> {
    const ref = pool.aws?.credentialsSecretRef ?? null;
    return this.#account(ref === null ? null : { namespace: pool.key.namespace, name: ref.name });
  }

  /** Every account that was asked so far; the default one where none was. */
  async all(): Promise<AwsAccount[]> {
    if (this.#accounts.size === 0) await this.#account(null);
    return Promise.all(this.#accounts.values());
  }

  async close(): Promise<void> {
    for (const account of await Promise.allSettled(this.#accounts.values())) {
      if (account.status === 'rejected') continue;
      account.value.ec2.destroy();
      account.value.autoScaling.destroy();
    }
  }

  #account(secret: SecretName | null): Promise<AwsAccount> {
    const key = secret === null ? '' : `${secret.namespace}/${secret.name}`;
    const known = this.#accounts.get(key);
    if (known) return known;
    const account = this.#open(secret);
    this.#accounts.set(key, account);
    account.catch(() => this.#accounts.delete(key));
    return account;
  }

  async #open(secret: SecretName | null): Promise<AwsAccount> {
    const { endpoint, ports, region } = this.#options;
    const [ec2Commands, groupCommands] = await Promise.all([
      import('@aws-sdk/client-ec2'),
      import('@aws-sdk/client-auto-scaling'),
    ]);
    const config = {
      region,
      maxAttempts: attempts,
      requestHandler: { connectionTimeout: connectWithinMs, requestTimeout: answerWithinMs },
      ...(endpoint === null ? {} : { endpoint }),
      ...(secret === null ? {} : { credentials: () => credentialsOf(secret, ports) }),
    };
    const ec2 = new ec2Commands.EC2Client(config);
    const autoScaling = new groupCommands.AutoScalingClient(config);
    return { ec2, autoScaling, ec2Commands, groupCommands, skewMs: watchSkew(ec2, ports.clock) };
  }
}

async function credentialsOf(secret: SecretName, { secrets }: ProviderPorts) {
  const values = await secrets(secret);
  const name = `Secret "${secret.namespace}/${secret.name}"`;
  if (values === null) throw new ProviderError('refused', `${name} with the credentials for AWS does not exist`);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = values;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new ProviderError('refused', `${name} needs the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
    expiration: new Date(Date.now() + credentialsForMs),
  };
}

/** Reads the time of day out of each answer's head. */
function watchSkew(client: EC2Client, clock: Clock): () => number {
  let skewMs = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { response } = result as { response?: { headers?: Record<string, string> } };
      const atMs = Date.parse(response?.headers?.date ?? '');
      if (Number.isFinite(atMs)) skewMs = atMs - clock.nowMs();
      return result;
    },
    { step: 'deserialize', name: 'ebbSkew', priority: 'low' },
  );
  return () => skewMs;
}
