import { createHash } from 'node:crypto';
import type { Client, ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext } from '../contract/source.ts';
import { type TlsSettings, tlsOptions } from '../runtime/tls.ts';
import { Sockets } from './sockets.ts';
import { type Answers, contract, loading, type Messages, serviceName } from './contract.ts';

// gRPC's own first pause is 1 s and its longest 2 min: a scaler that was restarted is wanted sooner.
const channelOptions = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
  // Connections are shared by what leases them here, and must end with it.
  'grpc.use_local_subchannel_pool': 1,
};

export interface Place {
  address: string;
  /** Null: not encrypted. */
  tls: TlsSettings | null;
}

/** One connection to an external scaler, which triggers of the same place and certificates share. */
export interface ScalerClient {
  /** Rejects with `SourceError`. */
  call<Method extends keyof Answers>(method: Method, request: object, signal: AbortSignal): Promise<Answers[Method]>;
  /** Tells each message, and then once why it ended: null when the server ended it. */
  stream<Method extends keyof Messages>(
    method: Method,
    request: object,
    told: (message: Messages[Method]) => void,
    ended: (why: SourceError | null) => void,
  ): () => void;
  close(): Promise<void>;
}

export function openScalerClient({ connections }: Pick<ScalerContext, 'connections'>, place: Place): ScalerClient {
  const identity = createHash('sha256').update(JSON.stringify(place)).digest('hex');
  const lease = connections.lease(
    `external scaler ${identity}`,
    () => new Connection(place),
    (connection) => connection.close(),
  );
  const { connection } = lease;
  return {
    call: (method, request, signal) => connection.call(method, request, signal),
    stream: (method, request, told, ended) => connection.stream(method, request, told, ended),
    close: () => lease.release(),
  };
}

type Methods = Record<keyof Answers | keyof Messages, MethodDefinition<object, object>>;

interface Opened {
  client: Client;
  sockets: Sockets;
  methods: Methods;
  /** Number of a status by its name. */
  status: Readonly<Record<string, number | string>>;
}

class Connection {
  readonly #place: Place;
  #opened: Promise<Opened> | null = null;

  constructor(place: Place) {
    this.#place = place;
  }

  async call<Method extends keyof Answers>(method: Method, request: object, signal: AbortSignal) {
    const { client, sockets, methods, status } = await this.#open();
    const { path, requestSerialize, responseDeserialize } = methods[method];
    const heard = sockets.heard();
    return new Promise<Answers[Method]>((resolve, reject) => {
      const timeUp = () => {
        reject(new SourceError('timeout', `${this.#place.address}: no answer to ${method} within the time`));
        call.cancel();
        // Not a word all the time: the next call has a better chance on a new connection.
        if (sockets.heard() === heard) sockets.end();
      };
      const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
        signal.removeEventListener('abort', timeUp);
        if (error) reject(this.#error(error, method, status));
        else resolve(answer as Answers[Method]);
      });
      if (signal.aborted) timeUp();
      signal.addEventListener('abort', timeUp, { once: true });
    });
  }

  stream<Method extends keyof Messages>(
    method: Method,
    request: object,
    told: (message: Messages[Method]) => void,
    ended: (why: SourceError | null) => void,
  ): () => void {
    let isOver = false;
    let cancel = () => {};
    const end = (why: SourceError | null) => {
      if (isOver) return;
      isOver = true;
      ended(why);
    };
    const start = ({ client, methods, status }: Opened) => {
      if (isOver) return;
      const { path, requestSerialize, responseDeserialize } = methods[method];
      const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
      cancel = () => call.cancel();
      call.on('data', (message: Messages[Method]) => {
        if (!isOver) told(message);
      });
      call.on('error', (error: ServiceError) => end(this.#error(error, method, status)));
      call.on('end', () => end(null));
    };
    this.#open().then(start, (error: unknown) => end(error as SourceError));
    return () => {
      isOver = true;
      cancel();
    };
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    opened?.client.close();
    opened?.sockets.end();
  }

  #open(): Promise<Opened> {
    this.#opened ??= connect(this.#place);
    return this.#opened;
  }

  #error({ code, details, message }: ServiceError, method: string, status: Opened['status']): SourceError {
    const { address } = this.#place;
    const said = `${address}: ${details || message}`;
    switch (code) {
      case status.UNIMPLEMENTED:
        return new SourceError('unsupported', `${address} does not implement ${serviceName}/${method}`);
      case status.UNAVAILABLE:
        return new SourceError('unreachable', said);
      case status.DEADLINE_EXCEEDED:
      case status.CANCELLED:
        return new SourceError('timeout', said);
      case status.UNAUTHENTICATED:
      case status.PERMISSION_DENIED:
        return new SourceError('unauthorized', said);
      case status.NOT_FOUND:
        return new SourceError('not-found', said);
      case status.INVALID_ARGUMENT:
        return new SourceError('bad-setting', said);
      default:
        return new SourceError(
          'bad-answer',
          `${address} failed ${method} (${status[code] ?? code}): ${details || message}`,
        );
    }
  }
}

async function connect({ address, tls }: Place): Promise<Opened> {
  // Before anything is loaded: a certificate that cannot be read is the user's to mend.
  if (tls) tlsOptions(tls);
  const [{ Client, credentials, status }, { fromJSON }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ]);
  const buffer = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem));
  const channel = tls
    ? credentials.createSsl(buffer(tls.ca), buffer(tls.key), buffer(tls.cert), { rejectUnauthorized: !tls.unsafeSsl })
    : credentials.createInsecure();
  const methods = fromJSON(contract as Parameters<typeof fromJSON>[0], loading)[serviceName] as ServiceDefinition;
  const sockets = new Sockets();
  return {
    client: new Client(address, sockets.watched(channel), channelOptions),
    sockets,
    methods: methods as unknown as Methods,
    status: { ...status },
  };
}
