import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { programs } from './installed.ts';
import { KubernetesApi } from './kubernetesApi.ts';
import { type Credentials, readKubeconfig, writeKubeconfig } from './kubernetesConfig.ts';
import { createNodes, deleteNodes, type FakeNode } from './kubernetesNodes.ts';
import { type ControlPlane, startControlPlane, startKwok, stopAll } from './kubernetesParts.ts';
import { clusterCertificates } from './kubernetesTls.ts';
import { freePort, loopback } from './ports.ts';
import type { Service } from './service.ts';
import { newServiceFolder } from './watchdog.ts';

export interface KubernetesOptions {
  /** More flags of the API server, as `--name=value`. */
  readonly apiServerFlags?: readonly string[];
}

/** Somebody with a bearer token, as a pod's service account has one. */
export interface TokenUser {
  readonly name: string;
  readonly token: string;
}

/** A Kubernetes API with fake nodes. `startKubernetes` makes one; `close` ends everything that it started. */
export interface KubernetesCluster {
  /** Path of a kubeconfig of an administrator. */
  readonly kubeconfig: string;
  /** `https://host:port` of the API server. */
  readonly url: string;
  /** A plain client of an administrator, independent of the one under test: arranges and checks. */
  readonly api: KubernetesApi;
  /** The processes, for tests that kill, pause or restart one of them; undefined for a cluster that was brought along. */
  readonly parts: ControlPlane | undefined;
  /** A kubeconfig of somebody else. Returns its path. */
  kubeconfigFor(user: TokenUser): string;
  /** The same as a plain client, which its user closes. */
  apiFor(user: TokenUser): KubernetesApi;
  /** Makes nodes on which pods turn ready at once, and waits until all are Ready. Returns their names. */
  addNodes(count: number, template?: FakeNode): Promise<readonly string[]>;
  /** Ends every process and removes every file; in a cluster that was brought along, removes the fake nodes. */
  close(): Promise<void>;
}

/**
 * Starts a Kubernetes API on free ports of 127.0.0.1: etcd, API server, controller-manager, scheduler, and KWOK in place of
 * kubelets. With `KUBECONFIG_DISPOSABLE` the cluster of that kubeconfig (k3d, kind) is used instead, and changed at will.
 */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<KubernetesCluster> {
  const disposable = process.env.KUBECONFIG_DISPOSABLE;
  return disposable ? joinCluster(disposable) : newCluster(options);
}

async function newCluster({ apiServerFlags = [] }: KubernetesOptions): Promise<KubernetesCluster> {
  // Asked before anything is made, so that what is missing is told first.
  programs('kubernetes');
  const folder = newServiceFolder('kubernetes');
  const [certificates, apiServerPort] = await Promise.all([clusterCertificates(folder), freePort()]);
  const credentials = {
    url: `https://${loopback}:${apiServerPort}`,
    ca: readFileSync(certificates.ca, 'utf8'),
    clientCertificate: readFileSync(certificates.admin, 'utf8'),
    clientKey: readFileSync(certificates.adminKey, 'utf8'),
  };
  const kubeconfig = join(folder, 'kubeconfig');
  writeKubeconfig(kubeconfig, 'ebb-test-admin', credentials);
  const api = new KubernetesApi(credentials);
  try {
    const parts = await startControlPlane({ certificates, kubeconfig, api, apiServerPort, apiServerFlags });
    return new Cluster({ folder, kubeconfig, credentials, api, parts });
  } catch (error) {
    api.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function joinCluster(kubeconfig: string): Promise<KubernetesCluster> {
  const credentials = readKubeconfig(kubeconfig);
  const api = new KubernetesApi(credentials);
  await api.get('/version');
  return new Cluster({ folder: newServiceFolder('kubernetes'), kubeconfig, credentials, api, parts: undefined });
}

interface ClusterFields {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly credentials: Credentials;
  readonly api: KubernetesApi;
  readonly parts: ControlPlane | undefined;
}

class Cluster implements KubernetesCluster {
  readonly kubeconfig: string;
  readonly url: string;
  readonly api: KubernetesApi;
  readonly parts: ControlPlane | undefined;
  readonly #folder: string;
  readonly #credentials: Credentials;
  readonly #nodes: string[] = [];
  readonly #counts = new Map<string, number>();
  #kwok: Service | undefined;
  #closed = false;

  constructor({ folder, kubeconfig, credentials, api, parts }: ClusterFields) {
    this.kubeconfig = kubeconfig;
    this.url = credentials.url;
    this.api = api;
    this.parts = parts;
    this.#folder = folder;
    this.#credentials = credentials;
  }

  kubeconfigFor({ name, token }: TokenUser): string {
    const path = join(mkdtempSync(join(this.#folder, 'user-')), 'kubeconfig');
    writeKubeconfig(path, name, { url: this.url, ca: this.#credentials.ca, token });
    return path;
  }

  apiFor(user: TokenUser): KubernetesApi {
    return new KubernetesApi(readKubeconfig(this.kubeconfigFor(user)));
  }

  async addNodes(count: number, template: FakeNode = {}): Promise<readonly string[]> {
    if (!this.parts) this.#kwok ??= await startKwok(this.kubeconfig);
    const { prefix = this.parts ? 'fake' : `fake-${process.pid}` } = template;
    const before = this.#counts.get(prefix) ?? 0;
    this.#counts.set(prefix, before + count);
    const names = Array.from({ length: count }, (_, index) => `${prefix}-${before + index + 1}`);
    this.#nodes.push(...names);
    await createNodes(this.api, names, template);
    return names;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.parts) {
      const { etcd, apiServer, controllerManager, scheduler, kwok } = this.parts;
      await stopAll([etcd, apiServer, controllerManager, scheduler, kwok]);
    } else {
      await deleteNodes(this.api, this.#nodes);
      await this.#kwok?.stop();
    }
    this.api.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
