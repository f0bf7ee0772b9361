import { ProviderError } from '@ebb/core';
import { type AzurePoolSpec, keyText, type NodePoolSpec } from '@ebb/documents';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { ArmApi } from './armApi.ts';
import { ScaleSet } from './scaleSet.ts';
import { azureTokens, type TokenSource, workloadIdentity } from './tokens.ts';

interface Account {
  api: ArmApi;
  /** Uniform scale sets by name: a pool that is gone may have left members. */
  uniform: Map<string, ScaleSet>;
  /** Names of flexible scale sets. */
  flexible: Set<string>;
}

export interface AccountPace {
  operationEveryMs: number;
  timeoutMs: number;
  identity: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** The resource groups that pools name, or have named since this was opened: their machines are listed until they are gone. */
export class Accounts {
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #pace: AccountPace;
  readonly #known = new Map<string, Account>();

  constructor(settings: ProviderSettings, ports: ProviderPorts, pace: AccountPace) {
    this.#settings = settings;
    this.#ports = ports;
    this.#pace = pace;
  }

  all(): readonly Account[] {
    for (const pool of this.#settings.pools()) if (pool.azure !== null) this.of(pool, pool.azure);
    return [...this.#known.values()];
  }

  of(pool: NodePoolSpec, azure: AzurePoolSpec): Account {
    const account = this.#account(azure, pool.key.namespace);
    if (azure.flexible !== null) account.flexible.add(azure.flexible.scaleSet);
    for (const set of azure.scaleSets) {
      if (account.uniform.has(set.name)) continue;
      const more = { pool: keyText(pool.key), region: this.#settings.region ?? '', readyTag: azure.readyTag };
      account.uniform.set(set.name, new ScaleSet(account.api, { ...set, ...more }));
    }
    return account;
  }

  #account(azure: AzurePoolSpec, namespace: string): Account {
    const { subscription, resourceGroup, endpoint, credentialsSecretRef: ref } = azure;
    const key = JSON.stringify([subscription, resourceGroup, endpoint, ref === null ? null : [namespace, ref.name]]);
    const known = this.#known.get(key);
    if (known) return known;
    const token =
      ref === null
        ? this.#tokens(azure, workloadIdentity(this.#pace.env))
        : this.#fromSecret(azure, namespace, ref.name);
    const { operationEveryMs, timeoutMs } = this.#pace;
    const { clock } = this.#ports;
    const api = new ArmApi({ subscription, resourceGroup, endpoint, token, clock, operationEveryMs, timeoutMs });
    const opened: Account = { api, uniform: new Map(), flexible: new Set() };
    this.#known.set(key, opened);
    return opened;
  }

  #tokens({ endpoint, authority }: AzurePoolSpec, credentials: Parameters<typeof azureTokens>[0]): TokenSource {
    const { identity, timeoutMs } = this.#pace;
    return azureTokens(credentials, { endpoint, authority, identity }, this.#ports.clock, timeoutMs);
  }

  /** A changed Secret counts with the next question. */
  #fromSecret(azure: AzurePoolSpec, namespace: string, name: string): TokenSource {
    let before = '';
    let source: TokenSource | null = null;
    return async () => {
      const secret = await this.#ports.secrets({ namespace, name });
      const { tenantId, clientId, clientSecret } = secret ?? {};
      if (!tenantId || !clientId || !clientSecret) {
        const what = secret === null ? 'is not there' : 'needs tenantId, clientId and clientSecret';
        throw new ProviderError('refused', `Azure: Secret ${namespace}/${name} ${what}`);
      }
      const now = JSON.stringify([tenantId, clientId, clientSecret]);
      if (source === null || now !== before) {
        before = now;
        source = this.#tokens(azure, { tenantId, clientId, clientSecret });
      }
      return source();
    };
  }
}
