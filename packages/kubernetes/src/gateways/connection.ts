import type { FromGateway, ToGateway } from '@ebb/core';

/** One connection to a gateway's link, opened. */
export interface GatewayConnection {
  /** False when it is gone. */
  send(message: ToGateway): boolean;
  close(): void;
  /** With the start of the process that says it, in milliseconds: another number is another process. */
  onMessage: (message: FromGateway, process: number) => void;
  onClose: (reason: string) => void;
}

export interface GatewayPlace {
  readonly host: string;
  readonly port: number;
}

/** Where a gateway's link is, what proves that we are meant, and the epoch of the one who leads. */
export interface GatewayCall extends GatewayPlace {
  readonly secret: string;
  readonly epoch: number;
}

/** Opens a connection. Rejects where nobody answers, or with an error named `LinkRefusedError` where the secret is another one. */
export type ConnectGateway = (call: GatewayCall) => Promise<GatewayConnection>;

/** A gateway that runs somewhere, as the cluster shows it. */
export interface FoundGateway extends GatewayPlace {
  /** Of its pod: what it is called in counts, statuses and the journal. */
  readonly name: string;
  /** Its pod is to end: it goes on with what it has, and gets no new requests. */
  readonly isLeaving: boolean;
}
