import type { TLSSocket } from 'node:tls';
import type { KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import { textAt } from '../client/values.ts';

/** Who may ask: the API server, by the certificate that it shows to servers behind it. */
export interface FrontProxy {
  /** PEM of the authority that has signed its certificate. */
  readonly authority: string;
  /** Common names; none: any that the authority has signed. */
  readonly names: readonly string[];
}

const place = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };

/** Reads it where the API server publishes it. Throws where it does not say whom to trust. */
export async function readFrontProxy(client: KubernetesClient): Promise<FrontProxy> {
  const object = await client.get(resources.configMaps, place);
  const authority = textAt(object?.body, 'data', 'requestheader-client-ca-file');
  if (!authority) {
    throw new Error(
      `the ConfigMap ${place.namespace}/${place.name} has no requestheader-client-ca-file: the API server has no aggregation layer`,
    );
  }
  return { authority, names: readNames(textAt(object?.body, 'data', 'requestheader-allowed-names')) };
}

/** Whether who asks is the API server; otherwise why not, for a person. */
export function refusalOf(socket: TLSSocket, { names }: FrontProxy): string | null {
  const certificate = socket.getPeerCertificate();
  if (Object.keys(certificate).length === 0) return 'only the API server may ask: it shows a client certificate';
  if (!socket.authorized) return 'the client certificate is not of the API server';
  const { CN } = certificate.subject;
  const name = Array.isArray(CN) ? CN[0] : CN;
  if (names.length > 0 && !names.includes(name ?? ''))
    return `"${name}" is not among the names that the API server has`;
  return null;
}

function readNames(text: string | null): string[] {
  try {
    const read: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(read) ? read.filter((one) => typeof one === 'string') : [];
  } catch {
    // What cannot be read lets nobody in.
    return [''];
  }
}
