import { type GcpPoolSpec, keyText } from '@ebb/documents';
import type { ProviderPorts, ProviderSettings } from '../contract.ts';
import { ProviderError } from '@ebb/core';
import { ComputeApi, type TokenSource } from './computeApi.ts';
import type { Group } from './groups.ts';
import { gcpTokens } from './tokens.ts';

interface Project {
  api: ComputeApi;
  /** By zone and name: a pool that is gone may have left members. */
  groups: Map<string, Group>;
}

/** The projects that pools name, or have named since this was opened: their machines are listed until they are gone. */
export class Projects {
  readonly #settings: ProviderSettings;
  readonly #ports: ProviderPorts;
  readonly #pace: { operationEveryMs: number; timeoutMs: number };
  readonly #known = new Map<string, Project>();

  constructor(settings: ProviderSettings, ports: ProviderPorts, pace: { operationEveryMs: number; timeoutMs: number }) {
    this.#settings = settings;
    this.#ports = ports;
    this.#pace = pace;
  }

  of(settings: GcpPoolSpec, namespace: string): ComputeApi {
    return this.#project(settings, namespace).api;
  }

  all(): { api: ComputeApi; groups: Group[] }[] {
    for (const { key, gcp } of this.#settings.pools()) {
      if (gcp === null) continue;
      const { groups } = this.#project(gcp, key.namespace);
      for (const group of gcp.groups) {
        const name = `${group.zone} ${group.name}`;
        if (!groups.has(name)) groups.set(name, { ...group, pool: keyText(key) });
      }
    }
    return [...this.#known.values()].map(({ api, groups }) => ({ api, groups: [...groups.values()] }));
  }

  #project({ project, endpoint, credentialsSecretRef: ref }: GcpPoolSpec, namespace: string): Project {
    const key = JSON.stringify([project, endpoint, ref === null ? null : [namespace, ref.name, ref.key]]);
    const known = this.#known.get(key);
    if (known) return known;
    const token = ref === null ? gcpTokens(null) : this.#fromSecret(namespace, ref);
    const opened: Project = {
      api: new ComputeApi({ project, endpoint, token, clock: this.#ports.clock, ...this.#pace }),
      groups: new Map(),
    };
    this.#known.set(key, opened);
    return opened;
  }

  /** A changed Secret counts with the next question. */
  #fromSecret(namespace: string, { name, key }: { name: string; key: string }): TokenSource {
    let text: string | null = null;
    let source: TokenSource | null = null;
    return async () => {
      const secret = await this.#ports.secrets({ namespace, name });
      const value = secret?.[key];
      if (value === undefined) {
        const what =
          secret === null ? `there is no Secret ${namespace}/${name}` : `Secret ${namespace}/${name} has no key ${key}`;
        throw new ProviderError('refused', `Google Cloud: ${what}`);
      }
      if (source === null || text !== value) {
        text = value;
        source = gcpTokens(value);
      }
      return source();
    };
  }
}
