import { isStatus, type KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import { textAt } from '../client/values.ts';

/** The Secret that operators and gateways know each other by, and the entry in it. */
export const linkSecretName = 'ebb-gateway-link';
export const linkSecretKey = 'secret';

export interface LinkSecretOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  /** Something that nobody can guess. */
  newSecret(): string;
}

/** What gateways and operators prove to each other that they know. Made once, by the first operator that needs it. */
export class LinkSecret {
  readonly #options: LinkSecretOptions;
  #reading: Promise<string> | null = null;

  constructor(options: LinkSecretOptions) {
    this.#options = options;
  }

  read(): Promise<string> {
    this.#reading ??= this.#readOrMake().catch((error: unknown) => {
      this.#reading = null;
      throw error;
    });
    return this.#reading;
  }

  /** It may have been replaced: it is read again when it is needed next. */
  forget(): void {
    this.#reading = null;
  }

  async #readOrMake(): Promise<string> {
    const { client, namespace, newSecret } = this.#options;
    const found = await this.#find();
    if (found !== null) return found;
    const secret = newSecret();
    try {
      await client.create(
        resources.secrets,
        { namespace },
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: linkSecretName, namespace },
          type: 'Opaque',
          data: { [linkSecretKey]: Buffer.from(secret).toString('base64') },
        },
      );
      return secret;
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
    }
    // Another one was quicker.
    const made = await this.#find();
    if (made === null) throw new Error(`the Secret ${namespace}/${linkSecretName} has no entry ${linkSecretKey}`);
    return made;
  }

  async #find(): Promise<string | null> {
    const { client, namespace } = this.#options;
    const object = await client.get(resources.secrets, { namespace, name: linkSecretName });
    const written = object && textAt(object.body, 'data', linkSecretKey);
    // Without the end of line that a file often has: gateways read it so too.
    return (written && Buffer.from(written, 'base64').toString('utf8').trim()) || null;
  }
}
