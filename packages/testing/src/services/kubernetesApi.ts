import { Agent, request } from 'node:https';
import type { Credentials } from './kubernetesConfig.ts';

const answerWithinMs = 30_000;

/** The API server refused: its status and its own words. */
export class KubernetesRefusal extends Error {
  override readonly name = 'KubernetesRefusal';
  readonly status: number;

  constructor(what: string, status: number, message: string) {
    super(`${what} was refused with status ${status}: ${message}`);
    this.status = status;
  }
}

export interface RequestOptions {
  readonly contentType?: string;
  /** For another form of the answer, such as the table that `kubectl get` shows. */
  readonly accept?: string;
}

export interface KubernetesAnswer {
  readonly status: number;
  readonly text: string;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** A plain JSON client of a Kubernetes API. Paths are as in the API: `/api/v1/nodes`, `/apis/apps/v1/…`. */
export class KubernetesApi {
  readonly url: string;
  readonly #agent: Agent;
  readonly #token: string | undefined;

  constructor({ url, ca, clientCertificate, clientKey, token }: Credentials) {
    this.url = url;
    this.#token = token;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 32,
      ...(ca ? { ca } : {}),
      ...(clientCertificate ? { cert: clientCertificate } : {}),
      ...(clientKey ? { key: clientKey } : {}),
    });
  }

  get<Value = unknown>(path: string): Promise<Value> {
    return this.#ask('GET', path);
  }

  post<Value = unknown>(path: string, body: unknown): Promise<Value> {
    return this.#ask('POST', path, body);
  }

  put<Value = unknown>(path: string, body: unknown): Promise<Value> {
    return this.#ask('PUT', path, body);
  }

  /** A merge patch. */
  patch<Value = unknown>(path: string, body: unknown): Promise<Value> {
    return this.#ask('PATCH', path, body, patchTypes.merge);
  }

  /** Server-side apply as the field manager `ebb-test`: `dryRun` changes nothing, `force` takes fields from others. */
  apply<Value = unknown>(path: string, body: unknown, { dryRun = false, force = false } = {}): Promise<Value> {
    const query = `fieldManager=ebb-test&fieldValidation=Strict&force=${force}${dryRun ? '&dryRun=All' : ''}`;
    return this.#ask('PATCH', `${path}?${query}`, body, patchTypes.apply);
  }

  delete<Value = unknown>(path: string): Promise<Value> {
    return this.#ask('DELETE', path);
  }

  /** Whatever is answered, refusals included. A text is sent as it is. */
  send(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<KubernetesAnswer> {
    const { contentType = 'application/json', accept = 'application/json' } = options;
    const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = {
      accept,
      ...(content === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) }),
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
    };
    return new Promise((resolve, reject) => {
      const asked = request(
        new URL(path, this.url),
        { method, headers, agent: this.#agent, timeout: answerWithinMs },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        },
      );
      asked.on('timeout', () => asked.destroy(new Error(`${method} ${path} is not answered`)));
      asked.on('error', reject);
      asked.end(content);
    });
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  // What the API answers is the caller's to know: this is a tool of tests.
  async #ask<Value>(method: string, path: string, body?: unknown, contentType?: string): Promise<Value> {
    const { status, text } = await this.send(method, path, body, contentType === undefined ? {} : { contentType });
    if (status >= 400) throw new KubernetesRefusal(`${method} ${path}`, status, refusalText(text));
    return JSON.parse(text) as Value;
  }
}

function refusalText(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message ?? text);
  } catch {
    return text;
  }
}
