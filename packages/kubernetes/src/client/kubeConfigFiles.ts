import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { yamlValues } from '@ebb/documents';
import { isObject, type JsonObject, listAt, objectAt, textAt } from './values.ts';

/** Who is connected to where, with every path made absolute. */
export interface ClusterAccess {
  readonly server: string;
  /** Namespace of the context or of the pod; null: it names none. */
  readonly namespace: string | null;
  /** A kubeconfig's words for the cluster and for the user, such as `certificate-authority` and `tokenFile`. */
  readonly cluster: JsonObject;
  readonly user: JsonObject;
}

/** Where a cluster is looked for. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of a pod's service account. */
  readonly serviceAccount: string;
}

export interface ChosenConfig {
  /** A kubeconfig; null: those of `KUBECONFIG`, `~/.kube/config`, or the service account of the pod. */
  readonly path: string | null;
  /** Null: the one that is current. */
  readonly context: string | null;
}

const clusterFiles = ['certificate-authority'];
const userFiles = ['client-certificate', 'client-key', 'tokenFile'];
/** Ports that a cluster serves without TLS. */
const plainPorts = ['80', '8080', '8001'];

/** What is to be connected to. Throws where no cluster is found, and names what a kubeconfig lacks. */
export function readAccess({ path, context }: ChosenConfig, { env, serviceAccount }: Surroundings): ClusterAccess {
  if (path !== null) return accessOf(new MergedConfig([path], readFileSync), context);
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  if (named.length > 0) return accessOf(new MergedConfig(named, readIfThere), context);
  const own = join(env.HOME ?? '', '.kube', 'config');
  if (env.HOME && readIfThere(own) !== null) return accessOf(new MergedConfig([own], readFileSync), context);
  const account = serviceAccountAccess(env, serviceAccount);
  if (!account) {
    throw new Error('there is no cluster: no --kubeconfig, no KUBECONFIG, no ~/.kube/config and no service account');
  }
  if (context !== null) throw new Error(`there is no context "${context}": a service account has none`);
  return account;
}

/** Several kubeconfigs as one: of two that say the same thing the first counts, as for kubectl. */
class MergedConfig {
  readonly text: string;
  readonly #currents: string[] = [];
  readonly #parts = { contexts: new Map(), clusters: new Map(), users: new Map() } satisfies Record<string, Parts>;

  constructor(files: readonly string[], read: (file: string) => Buffer | null) {
    this.text = files.join(delimiter);
    let found = 0;
    for (const file of files) {
      const content = read(file);
      if (content === null) continue;
      found++;
      this.#take(file, content.toString('utf8'));
    }
    if (found === 0) throw new Error(`there is no kubeconfig at ${this.text}`);
  }

  get current(): string | null {
    return this.#currents[0] ?? null;
  }

  context(name: string): JsonObject {
    return this.#part('context', this.#parts.contexts, name);
  }

  cluster(name: string): JsonObject {
    return this.#part('cluster', this.#parts.clusters, name);
  }

  user(name: string): JsonObject {
    return this.#part('user', this.#parts.users, name);
  }

  #take(file: string, text: string): void {
    const [config, ...more] = parse(file, text);
    if (!isObject(config) || more.length > 0) throw new Error(`${file} is no kubeconfig: it is not one YAML object`);
    const folder = dirname(resolve(file));
    const current = textAt(config, 'current-context');
    if (current) this.#currents.push(current);
    take(this.#parts.contexts, listAt(config, 'contexts'), 'context');
    take(this.#parts.clusters, listAt(config, 'clusters'), 'cluster', (one) => absolute(one, clusterFiles, folder));
    take(this.#parts.users, listAt(config, 'users'), 'user', (one) => absolute(one, userFiles, folder));
  }

  #part(kind: string, parts: Parts, name: string): JsonObject {
    const found = parts.get(name);
    if (found) return found;
    const names = [...parts.keys()];
    const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`;
    throw new Error(`there is no ${kind} "${name}" in ${this.text}; ${known}`);
  }
}

type Parts = Map<string, JsonObject>;

function take(
  parts: Parts,
  entries: readonly unknown[],
  kind: string,
  read: (one: JsonObject) => JsonObject = (one) => one,
): void {
  for (const entry of entries) {
    const name = textAt(entry, 'name');
    if (name !== null && !parts.has(name)) parts.set(name, read(objectAt(entry, kind)));
  }
}

function parse(file: string, text: string): unknown[] {
  try {
    return yamlValues(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is no kubeconfig: ${message}`, { cause: error });
  }
}

function absolute(one: JsonObject, names: readonly string[], folder: string): JsonObject {
  const paths = names.flatMap((name) => {
    const path = textAt(one, name);
    return path ? [[name, resolve(folder, path)]] : [];
  });
  return { ...one, ...Object.fromEntries(paths) };
}

function accessOf(config: MergedConfig, chosen: string | null): ClusterAccess {
  const name = chosen ?? config.current;
  if (name === null) throw new Error(`${config.text} names no cluster that is in use (current-context)`);
  const context = config.context(name);
  const clusterName = textAt(context, 'cluster');
  if (!clusterName) throw new Error(`the context "${name}" in ${config.text} names no cluster`);
  const cluster = config.cluster(clusterName);
  const server = textAt(cluster, 'server');
  if (!server) throw new Error(`the cluster "${clusterName}" in ${config.text} has no server`);
  const userName = textAt(context, 'user');
  const user = userName ? config.user(userName) : {};
  return { server, namespace: textAt(context, 'namespace') || null, cluster, user };
}

function serviceAccountAccess(env: Surroundings['env'], folder: string): ClusterAccess | null {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(folder, 'token');
  if (!host || !port || readIfThere(tokenFile) === null) return null;
  const isPlain = plainPorts.includes(port);
  return {
    server: `${isPlain ? 'http' : 'https'}://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: readIfThere(join(folder, 'namespace'))?.toString('utf8').trim() || null,
    cluster: { 'certificate-authority': join(folder, 'ca.crt') },
    user: { tokenFile },
  };
}

/** Null where there is no such file. */
function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
}
