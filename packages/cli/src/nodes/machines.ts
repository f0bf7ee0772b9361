import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, type NodeObservation, type Provider, ProviderError } from '@ebb/core';
import type { ClusterSpec, NodePoolSpec, ParsedDocument } from '@ebb/documents';
import { resolveSecret } from '@ebb/documents';
import { openProvider, type ProviderBook, type ProviderPorts, providerNameOf } from '@ebb/providers';
import { findDataDirectory } from '../dataDirectory.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { systemClock } from './systemClock.ts';

export interface MachinesOptions {
  clusters: readonly ClusterSpec[];
  pools: readonly NodePoolSpec[];
  /** Where Secrets are looked for. */
  documents: readonly ParsedDocument[];
  /** Data folder, for providers that keep a book. */
  data?: string | undefined;
  /** In place of the real ones; in tests. */
  open?: typeof openProvider;
  clock?: Clock;
}

/** The providers of clusters that documents describe, opened with the first question. */
export class Machines {
  readonly #context: EbbContext;
  readonly #options: MachinesOptions;
  readonly #open = new Map<string, Promise<Provider>>();
  readonly clock: Clock;

  constructor(context: EbbContext, options: MachinesOptions) {
    this.#context = context;
    this.#options = options;
    this.clock = options.clock ?? systemClock;
  }

  /** Clusters whose machines are rented; the others run replicas on this machine. */
  rented(): readonly ClusterSpec[] {
    return this.#options.clusters.filter((cluster) => cluster.type !== 'local');
  }

  /** Throws a `Failure` (usage) with the reason where a cluster's machines cannot be rented. */
  of(cluster: string): Promise<Provider> {
    const known = this.#open.get(cluster);
    if (known) return known;
    const opened = this.#openOne(cluster);
    this.#open.set(cluster, opened);
    return opened;
  }

  /** All machines of all rented clusters, as their providers list them. */
  async list(): Promise<NodeObservation[]> {
    const lists = await Promise.all(
      this.rented().map(async ({ key }) => {
        const provider = await this.of(key.name);
        return await told(key.name, provider.list());
      }),
    );
    return lists.flat();
  }

  /** Ends a machine. Throws a `Failure` with what the provider says. */
  async end({ cluster, id, providerId }: NodeObservation): Promise<void> {
    const provider = await this.of(cluster);
    await told(cluster, provider.terminate(id === null ? { providerId: providerId ?? '' } : { id }));
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values());
    await Promise.all(opened.map((one) => (one.status === 'fulfilled' ? one.value.close() : null)));
  }

  async #openOne(name: string): Promise<Provider> {
    const { clusters, pools, open = openProvider } = this.#options;
    const cluster = clusters.find(({ key }) => key.name === name);
    const provider = providerToRent(name, cluster);
    const own = pools.filter(({ key }) => key.cluster === name);
    const region = cluster?.region ?? null;
    try {
      return await open(provider, { cluster: name, region, pools: () => own }, this.#ports(name));
    } catch (error) {
      throw new Failure(
        'failed',
        `the provider of cluster ${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #ports(cluster: string): ProviderPorts {
    const { documents, data } = this.#options;
    const secrets = documents.filter(({ kind }) => kind === 'Secret').map(({ document }) => resolveSecret(document));
    const { env, workingDirectory } = this.#context;
    const folder = findDataDirectory(data, env, workingDirectory).path;
    return {
      clock: this.clock,
      log: (line) => this.#context.note(line),
      book: fileBook(join(folder, 'machines', `${cluster}.json`)),
      secrets: async ({ namespace, name }) =>
        secrets.find(({ key }) => key.namespace === namespace && key.name === name)?.data ?? null,
    };
  }
}

/** What a provider refuses, as a sentence for the user. */
async function told<Value>(cluster: string, asked: Promise<Value>): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    throw new Failure('failed', `the provider of cluster ${cluster}: ${error.message}`, [], { cause: error });
  }
}

/** Which provider rents a cluster's machines. Throws a `Failure` (usage) that says why none does. */
export function providerToRent(name: string, cluster: ClusterSpec | undefined): string {
  if (cluster === undefined) {
    throw new Failure('usage', `there is no Cluster "${name}" among the documents.`, [
      'its type and cloud say whose machines are rented',
    ]);
  }
  if (cluster.type === 'local') {
    throw new Failure(
      'usage',
      `cluster ${name} is local: its replicas run on this machine, a machine that is rented would serve none.`,
      ['type: rehearsal tries it out without renting; type: kubernetes is for clusters of rented machines'],
    );
  }
  const provider = providerNameOf(cluster);
  if (provider !== null) return provider;
  throw new Failure('usage', `cluster ${name}: this version rents no machines of the cloud "${cluster.cloud}".`);
}

/** One JSON file, replaced as a whole. */
function fileBook(path: string): ProviderBook {
  return {
    async load() {
      try {
        return JSON.parse(await readFile(path, 'utf8'));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    },
    async save(value) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}
