import { ApiServerError, readError } from '../client/client.ts';
import { collectionPath, groupPath, objectPath, type Resource, splitApiVersion } from '../client/resources.ts';
import type { Transport, TransportAnswer, TransportRequest } from '../client/transport.ts';
import { isObject, type JsonObject, listAt, readJson, textAt } from '../client/values.ts';
import type { Manifest } from '../manifests/settings.ts';
import { type ObjectRef, refOf, refText } from './names.ts';

/** Who Ebb's command line is to the API server: the owner of the fields that it applies. */
export const installManager = 'ebb-cli';

const timeoutMs = 30_000;

export type Applied =
  | { readonly kind: 'applied'; readonly body: JsonObject }
  /** Fields that others own, with the value of theirs. */
  | { readonly kind: 'conflict'; readonly conflicts: readonly FieldConflict[] }
  /** What it stands in is not there yet, which a dry run cannot make. */
  | { readonly kind: 'no-namespace' };

export interface FieldConflict {
  /** Field manager that owns it. */
  readonly manager: string;
  /** Such as `.spec.replicas`. */
  readonly field: string;
}

/** What an installation asks of an API server. Throws `ApiServerError` and `UnreachableError`. */
export class InstallServer {
  readonly #transport: Transport;
  readonly #kinds = new Map<string, Promise<readonly Resource[]>>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The collection of a kind; null where the server knows no such kind. */
  async resourceOf({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): Promise<Resource | null> {
    const known = this.#kinds.get(apiVersion) ?? this.#readKinds(apiVersion);
    this.#kinds.set(apiVersion, known);
    const found = (await known).find((one) => one.kind === kind);
    // It may be there in a moment: the definition is being made.
    if (!found) this.#kinds.delete(apiVersion);
    return found ?? null;
  }

  async #readKinds(apiVersion: string): Promise<readonly Resource[]> {
    const version = splitApiVersion(apiVersion);
    const body = await this.getPath(groupPath(version));
    return listAt(body, 'resources').flatMap((one) => {
      const [plural, kind] = [textAt(one, 'name'), textAt(one, 'kind')];
      if (plural === null || kind === null || plural.includes('/')) return [];
      return [{ ...version, plural, kind, namespaced: isObject(one) && one.namespaced === true }];
    });
  }

  /** Null where there is nothing of that path. */
  async getPath(path: string): Promise<JsonObject | null> {
    const answer = await this.#send({ method: 'GET', path });
    return answer.status === 404 ? null : accepted(answer);
  }

  /** Null where there is none, or no such kind. */
  async get(ref: ObjectRef): Promise<JsonObject | null> {
    const resource = await this.resourceOf(ref);
    return resource && this.getPath(objectPath(resource, ref));
  }

  /** All objects of a kind; null where the server knows no such kind. A namespace of null is all of them. */
  async list(
    of: Pick<ObjectRef, 'apiVersion' | 'kind'>,
    { namespace = null, labelSelector }: { namespace?: string | null; labelSelector?: string } = {},
  ): Promise<JsonObject[] | null> {
    const resource = await this.resourceOf(of);
    if (!resource) return null;
    const items: JsonObject[] = [];
    let next: string | undefined;
    do {
      const query = { limit: '500', continue: next, labelSelector };
      const answer = await this.#send({ method: 'GET', path: collectionPath(resource, namespace), query });
      const page = accepted(answer);
      items.push(...listAt(page, 'items').filter(isObject));
      next = textAt(page, 'metadata', 'continue') || undefined;
    } while (next !== undefined);
    return items;
  }

  /** Server-side apply. Without `force`, fields that others own and that would change are told and nothing is written. */
  async apply(manifest: Manifest, { dryRun, force }: { dryRun: boolean; force: boolean }): Promise<Applied> {
    const ref = refOf(manifest);
    const resource = await this.resourceOf(ref);
    if (!resource)
      throw new ApiServerError(404, 'NotFound', `the cluster knows no kind ${ref.kind} of ${ref.apiVersion}`);
    const answer = await this.#send({
      method: 'PATCH',
      path: objectPath(resource, ref),
      query: {
        fieldManager: installManager,
        fieldValidation: 'Strict',
        force: String(force),
        dryRun: dryRun ? 'All' : undefined,
      },
      contentType: 'application/apply-patch+yaml',
      body: manifest,
    });
    if (answer.status === 409) {
      const conflicts = conflictsOf(readJson(answer.text));
      if (conflicts.length > 0) return { kind: 'conflict', conflicts };
    }
    if (answer.status === 404 && dryRun && ref.namespace !== '') return { kind: 'no-namespace' };
    if (answer.status >= 300) {
      const error = readError(answer);
      throw new ApiServerError(error.status, error.reason, `${refText(ref)}: ${error.message}`);
    }
    return { kind: 'applied', body: accepted(answer) };
  }

  /** False where there was none. */
  async delete(ref: ObjectRef, { dryRun, uid }: { dryRun: boolean; uid?: string }): Promise<boolean> {
    const resource = await this.resourceOf(ref);
    if (!resource) return false;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(dryRun ? { dryRun: ['All'] } : {}),
    };
    const answer = await this.#send({ method: 'DELETE', path: objectPath(resource, ref), body });
    if (answer.status === 404) return false;
    accepted(answer);
    return true;
  }

  /** Creates what is only an answer: reviews of rights. */
  async review(path: string, body: JsonObject): Promise<JsonObject> {
    return accepted(await this.#send({ method: 'POST', path, body }));
  }

  #send(request: Omit<TransportRequest, 'timeoutMs'>): Promise<TransportAnswer> {
    return this.#transport.send({ ...request, timeoutMs });
  }
}

function accepted(answer: TransportAnswer): JsonObject {
  if (answer.status >= 300) throw readError(answer);
  const body = readJson(answer.text);
  if (!isObject(body)) throw new ApiServerError(answer.status, 'NoObject', 'the API server answered with no object');
  return body;
}

/** The server names each as `conflict with "helm" using apps/v1: .spec.replicas`, in parts. */
function conflictsOf(body: unknown): FieldConflict[] {
  return listAt(body, 'details', 'causes').flatMap((cause) => {
    if (textAt(cause, 'reason') !== 'FieldManagerConflict') return [];
    const [, manager] = /conflict with "([^"]*)"/.exec(textAt(cause, 'message') ?? '') ?? [];
    return [{ manager: manager ?? 'another manager', field: textAt(cause, 'field') ?? '' }];
  });
}
