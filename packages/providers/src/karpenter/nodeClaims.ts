/** An object of the API server as it came. */
export type ApiObject = Readonly<Record<string, unknown>>;

export type NodeClaimEvent =
  /** All there are: what is not among them does not exist. */
  | { type: 'snapshot'; claims: readonly ApiObject[] }
  | { type: 'put' | 'delete'; claim: ApiObject }
  | { type: 'disconnected'; message: string };

/**
 * Karpenter's NodeClaims in one cluster. What the API server refuses rejects with an Error that has its `status`, and `retryAfterMs`
 * where it says when to come back; any other Error means that it was not reached.
 */
export interface NodeClaims {
  /** Server-side apply of the whole of what Ebb says of it; twice is once. */
  apply(name: string, body: ApiObject): Promise<void>;
  /** One that is not there is fine. */
  delete(name: string): Promise<void>;
  list(): Promise<readonly ApiObject[]>;
  /** Begins with a snapshot once there is one; after `disconnected` another one follows. */
  follow(listener: (event: NodeClaimEvent) => void): () => void;
}
