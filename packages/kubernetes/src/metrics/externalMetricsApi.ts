import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { KubernetesClient } from '../client/client.ts';
import { externalMetricsGroup } from '../manifests/settings.ts';
import { markLeader, type ServiceName, trustCertificates } from './apiService.ts';
import { newServingCertificate, type ServingCertificate } from './derCertificate.ts';
import { externalMetric, type MetricFacts, replicasMetric } from './externalMetric.ts';
import { type FrontProxy, readFrontProxy, refusalOf } from './frontProxy.ts';

export interface ExternalMetricsSettings {
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** What the APIService names. */
  readonly service: ServiceName;
  /** The pod that this process is, which the Service is to send to; null: it runs beside the cluster. */
  readonly podName: string | null;
}

export interface ExternalMetricsOptions extends ExternalMetricsSettings {
  readonly client: KubernetesClient;
  readonly facts: MetricFacts;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

const version = `${externalMetricsGroup}/v1beta1`;
const metricPath = new RegExp(`^/apis/${version}/namespaces/([^/]+)/([^/]+)$`);
const validDays = 90;
/** Renewed this long before its end. */
const renewBeforeMs = 30 * 86_400_000;
const checkMs = 600_000;
const retryMs = 30_000;
/** The API server hears of another certificate before it meets it. */
const switchAfterMs = 30_000;

/**
 * The external metrics API behind the API server's aggregation layer: HTTPS, a certificate of its own that is renewed while it
 * runs, and questions from the API server alone, which has checked by then whether who asks may. It is served by the one that
 * leads; what goes wrong is logged and tried again, and decisions go on without it.
 */
export class ExternalMetricsApi {
  readonly #options: ExternalMetricsOptions;
  #server: Server | null = null;
  #proxy: FrontProxy | null = null;
  #serving: ServingCertificate;
  /** The one that is to follow. */
  #next: ServingCertificate | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;
  #trouble = '';

  constructor(options: ExternalMetricsOptions) {
    this.#options = options;
    this.#serving = this.#newCertificate();
  }

  /** Where it listens; null: not yet. */
  get port(): number | null {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  /** In the background: nobody waits for it. Resolves when the first try is over. */
  async start(): Promise<void> {
    await this.#keep();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** Everything that has to be as it is, from time to time: whom to trust, the certificate, the registration. */
  async #keep(): Promise<void> {
    const { client, service, podName, log, mayWrite } = this.#options;
    let delayMs = checkMs;
    try {
      this.#proxy = await readFrontProxy(client);
      if (client.clock.nowMs() > this.#serving.notAfterMs - renewBeforeMs) this.#next ??= this.#newCertificate();
      if (this.#closed) return;
      if (this.#server) this.#server.setSecureContext(this.#context());
      else await this.#listen();
      if (this.#closed || !mayWrite()) return;
      const trusted = [this.#serving, ...(this.#next ? [this.#next] : [])].map(({ certificate }) => certificate);
      await trustCertificates(client, service, trusted);
      if (podName !== null) await markLeader(client, service.namespace, podName);
      if (this.#next) delayMs = switchAfterMs;
      if (this.#trouble !== '') log('info', 'the external metrics API is served');
      this.#trouble = '';
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#trouble && !this.#closed)
        log('warn', 'the external metrics API is not served', { error: message });
      this.#trouble = message;
      delayMs = retryMs;
    }
    if (this.#closed) return;
    this.#cancel = client.clock.at(client.clock.nowMs() + delayMs, () => {
      // Trusted by now.
      if (this.#next && this.#trouble === '') [this.#serving, this.#next] = [this.#next, null];
      void this.#keep();
    });
  }

  #newCertificate(): ServingCertificate {
    const { service, client } = this.#options;
    const host = `${service.name}.${service.namespace}.svc`;
    return newServingCertificate([host, `${host}.cluster.local`], client.clock.nowMs(), validDays);
  }

  #context() {
    const { key, certificate } = this.#serving;
    return { key, cert: certificate, ca: this.#proxy?.authority ?? [], minVersion: 'TLSv1.2' } as const;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options;
    // Asked for and judged by what follows: who has none is told why.
    const tls = { ...this.#context(), requestCert: true, rejectUnauthorized: false };
    const server = createServer(tls, (request, answer) => this.#answer(request, answer));
    server.requestTimeout = 10_000;
    server.headersTimeout = 10_000;
    server.maxHeadersCount = 100;
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
    this.#server = server;
    if (this.#closed) await this.close();
  }

  #answer({ method, url = '/', socket }: IncomingMessage, answer: ServerResponse): void {
    const proxy = this.#proxy;
    const refusal = proxy && socket instanceof TLSSocket ? refusalOf(socket, proxy) : 'not ready';
    if (refusal !== null) return send(answer, 401, failure(401, 'Unauthorized', refusal));
    if (method !== 'GET') return send(answer, 405, failure(405, 'MethodNotAllowed', 'this API can only be read'));
    const { pathname, searchParams } = new URL(url, 'https://ebb');
    const discovered = discovery(pathname);
    if (discovered) return send(answer, 200, discovered);
    const found = metricPath.exec(pathname);
    if (!found) return send(answer, 404, failure(404, 'NotFound', `there is nothing at ${pathname}`));
    const [namespace, metric] = [found[1] ?? '', found[2] ?? ''].map(decoded);
    if (namespace === undefined || metric === undefined) {
      return send(answer, 400, failure(400, 'BadRequest', 'the path cannot be read'));
    }
    const labels = equalLabels(searchParams.get('labelSelector') ?? '');
    const said = externalMetric(this.#options.facts, { namespace, metric, labels });
    if ('status' in said) {
      const reason = { 400: 'BadRequest', 404: 'NotFound', 503: 'ServiceUnavailable' }[said.status];
      return send(answer, said.status, failure(said.status, reason, said.message));
    }
    send(answer, 200, {
      kind: 'ExternalMetricValueList',
      apiVersion: version,
      metadata: {},
      items: [
        {
          metricName: metric,
          metricLabels: labels,
          timestamp: new Date(said.atMs).toISOString().replace(/\.\d+Z$/, 'Z'),
          value: said.valueMilli % 1000 === 0 ? String(said.valueMilli / 1000) : `${said.valueMilli}m`,
        },
      ],
    });
  }
}

/** What there is, for `kubectl api-resources` and the API server's own look. */
function discovery(pathname: string): object | null {
  const groupVersion = { groupVersion: version, version: 'v1beta1' };
  const group = { name: externalMetricsGroup, versions: [groupVersion], preferredVersion: groupVersion };
  switch (pathname) {
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };
    case `/apis/${externalMetricsGroup}`:
      return { kind: 'APIGroup', apiVersion: 'v1', ...group };
    case `/apis/${version}`:
      return {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: version,
        resources: [
          { name: replicasMetric, singularName: '', namespaced: true, kind: 'ExternalMetricValueList', verbs: ['get'] },
        ],
      };
    default:
      return null;
  }
}

/** Labels that a selector asks for with one value each; it is what names the object, and no more. */
function equalLabels(selector: string): Record<string, string> {
  const pairs = selector.split(',').flatMap((part): [string, string][] => {
    const [, key, value] = /^\s*([^=!\s]+)\s*==?\s*([^=\s]*)\s*$/.exec(part) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function failure(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
}

function send(answer: ServerResponse, status: number, body: object): void {
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify(body));
}
