import { keyText } from '@ebb/documents';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import { permitted, scaleKindRemedy, UnmetError } from '../client/missingPermission.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { apiVersionOf, type Namespaces, type Resource, resources } from '../client/resources.ts';
import { slimTarget } from '../client/slim.ts';
import { isPlainKind, plainTargetState, scaledTargetState, type TargetState } from '../driver/target.ts';
import { Informer, type InformerEvent } from '../informer/informer.ts';
import { keyOf } from './documents.ts';

export interface TargetName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface FoundTarget {
  readonly resource: Resource;
  readonly object: KubernetesObject;
}

export interface TargetsOptions {
  readonly client: KubernetesClient;
  readonly namespace: Namespaces;
  onEvent(event: InformerEvent): void;
  onTrouble(message: string): void;
}

/** Everything that can be scaled: Deployments and StatefulSets are followed from the beginning, other kinds once they are named. */
export class Targets {
  readonly #options: TargetsOptions;
  readonly #informers = new Map<string, { resource: Resource; informer: Informer }>();
  /** Kinds that the server does not know or that are being looked for. */
  readonly #looking = new Map<string, Promise<void>>();

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await Promise.all([this.#follow(resources.deployments), this.#follow(resources.statefulSets)]);
  }

  /**
   * Null where there is none. Of a kind that is new here, resolves once all of that kind are listed. Throws `UnmetError` where
   * the cluster does not know the kind, or the operator may not see it.
   */
  async find({ apiVersion, kind, namespace, name }: TargetName): Promise<FoundTarget | null> {
    const id = `${apiVersion} ${kind}`;
    if (!this.#informers.has(id)) {
      const looking = this.#looking.get(id) ?? this.#look(apiVersion, kind);
      this.#looking.set(id, looking);
      await looking.finally(() => this.#looking.delete(id));
    }
    const known = this.#informers.get(id);
    const object = known?.informer.get({ namespace, name });
    return known && object ? { resource: known.resource, object } : null;
  }

  /** One that is followed, as it was seen last; null: there is none. */
  get(resource: Resource, at: { namespace: string; name: string }): KubernetesObject | null {
    return this.#informers.get(`${apiVersionOf(resource)} ${resource.kind}`)?.informer.get(at) ?? null;
  }

  /** All of a kind that is followed. */
  list(resource: Resource): KubernetesObject[] {
    return this.#informers.get(`${apiVersionOf(resource)} ${resource.kind}`)?.informer.list() ?? [];
  }

  /** How many there are to be and which pods are its own. Throws `UnmetError` where it cannot be scaled. */
  async stateOf({ resource, object }: FoundTarget): Promise<TargetState> {
    if (isPlainKind(resource)) return plainTargetState(object);
    try {
      const scale = this.#options.client.readScale(resource, object);
      return scaledTargetState(await permitted(scale, scaleKindRemedy(resource)));
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      throw new UnmetError('NotScalable', `${resource.kind} ${object.name} has no scale subresource`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#informers.values()].map(({ informer }) => informer.close()));
  }

  async #look(apiVersion: string, kind: string): Promise<void> {
    const { client, namespace } = this.#options;
    const resource = await client.discover(apiVersion, kind);
    if (!resource) throw new UnmetError('UnknownKind', `the cluster knows no kind ${kind} of ${apiVersion}`);
    // Asked once before it is followed: an informer would wait for the right for ever.
    await permitted(client.probe(resource, namespace), scaleKindRemedy(resource));
    await this.#follow(resource);
  }

  async #follow(resource: Resource): Promise<void> {
    const { client, namespace, onEvent, onTrouble } = this.#options;
    const informer = new Informer({
      ...{ client, resource, namespace, onTrouble },
      ...(isPlainKind(resource) ? { slim: slimTarget } : {}),
    });
    this.#informers.set(`${apiVersionOf(resource)} ${resource.kind}`, { resource, informer });
    informer.watch(onEvent);
    await informer.start().synced;
  }
}

/** Names one target among all kinds. */
export function targetId({ kind, namespace, name }: { kind: string; namespace: string; name: string }): string {
  return `${kind} ${keyText(keyOf({ namespace, name }))}`;
}
