import { keyText, type NodePoolSpec, resolveCluster, resolveNodePool } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { KubernetesObject } from '../client/objects.ts';
import type { DocumentSink } from '../operator/reconciler.ts';
import { nodeDocument } from './nodeDocuments.ts';
import type { NodesView } from './nodesView.ts';

export interface DocumentFeedOptions {
  readonly view: Pick<NodesView, 'clusters' | 'pools' | 'listen'>;
  onBrought?(): void;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

interface Brought {
  input: ApplyInput;
  /** Kind, namespace and name of the object. */
  name: string;
  text: string;
}

/**
 * Brings Clusters and NodePools of the API server to the engine as they stand now. This cluster is the oldest Cluster of type
 * `kubernetes`: others would buy for the same pods, so they are left out.
 */
export class DocumentFeed {
  readonly #options: DocumentFeedOptions;
  readonly #brought = new Map<string, Brought>();
  readonly #problems = new Map<string, string>();
  #sink: DocumentSink;
  #running: Promise<void> = Promise.resolve();
  #isDue = false;
  #unlisten: () => void = () => {};

  constructor(options: DocumentFeedOptions, sink: DocumentSink) {
    this.#options = options;
    this.#sink = sink;
  }

  /** Takes in what is there. */
  fill(): Promise<void> {
    return this.#bring();
  }

  /** The pools that were brought, with the region of their cluster. */
  pools(): { pool: NodePoolSpec; region: string | null }[] {
    const brought = [...this.#brought.values()].map(({ input }) => input);
    const clusters = brought.filter(({ kind }) => kind === 'Cluster').map(({ document }) => resolveCluster(document));
    return brought
      .filter(({ kind }) => kind === 'NodePool')
      .map(({ document }) => resolveNodePool(document))
      .map((pool) => ({ pool, region: clusters.find(({ key }) => key.name === pool.key.cluster)?.region ?? null }));
  }

  /** Why a Cluster or NodePool is not heeded; null: it is, or is not known yet. */
  problemOf({ kind, namespace, name }: Pick<KubernetesObject, 'kind' | 'namespace' | 'name'>): string | null {
    return this.#problems.get(`${kind} ${namespace}/${name}`) ?? null;
  }

  /** The engine has started: from now on it hears of changes. */
  useSink(sink: DocumentSink): void {
    this.#sink = sink;
    this.#unlisten = this.#options.view.listen((kind) => {
      if (kind === 'document') this.#later();
    });
    this.#later();
  }

  async close(): Promise<void> {
    this.#unlisten();
    await this.#running;
  }

  /** Once for all that changes in one turn. */
  #later(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#running = this.#running.then(() => {
      this.#isDue = false;
      return this.#bring();
    });
  }

  async #bring(): Promise<void> {
    const wanted = this.#wanted();
    for (const [key, next] of wanted) {
      const before = this.#brought.get(key);
      // It stays as it was, and what is wrong with the object is told already.
      if (before === next) continue;
      const { input, name, text } = next;
      try {
        if (before?.text !== text) await this.#sink.apply([input]);
        this.#brought.set(key, next);
        this.#problems.delete(name);
      } catch (error) {
        this.#problem(name, error);
      }
    }
    for (const [key, { input, name }] of [...this.#brought]) {
      if (wanted.has(key)) continue;
      this.#brought.delete(key);
      try {
        await this.#sink.remove(input.kind, input.key);
      } catch (error) {
        this.#problem(name, error);
      }
    }
    this.#options.onBrought?.();
  }

  #wanted(): Map<string, Brought> {
    const { clusters, pools } = this.#options.view;
    const wanted = new Map<string, Brought>();
    const objects = [...clusters.list().sort(byAge), ...pools.list().sort(byAge)];
    const there = new Set(objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
    for (const name of this.#problems.keys()) if (!there.has(name)) this.#problems.delete(name);
    let own: string | null = null;
    for (const object of objects) {
      const name = `${object.kind} ${object.namespace}/${object.name}`;
      try {
        const input = nodeDocument(object);
        if (object.kind === 'Cluster') {
          if (resolveCluster(input.document).type !== 'kubernetes') {
            // Nobody's affair here, whatever was wrong with it before.
            this.#problems.delete(name);
            continue;
          }
          if (own !== null) throw new Error(`this cluster is ${own} already; one Cluster of type kubernetes counts`);
          own = object.name;
        }
        wanted.set(`${input.kind} ${keyText(input.key)}`, { input, name, text: JSON.stringify(input) });
      } catch (error) {
        this.#problem(name, error);
        // One that is refused stays as it last was.
        for (const [key, known] of this.#brought) {
          if (known.name !== name) continue;
          wanted.set(key, known);
          if (known.input.kind === 'Cluster') own ??= object.name;
        }
      }
    }
    return wanted;
  }

  /** Each once, until it is another one. */
  #problem(name: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#problems.get(name) === message) return;
    this.#problems.set(name, message);
    this.#options.log('warn', 'a document of machines is not heeded', { document: name, error: message });
  }
}

function byAge(left: KubernetesObject, right: KubernetesObject): number {
  return left.createdAtMs - right.createdAtMs || (left.name < right.name ? -1 : 1);
}
