import type { Dispatcher, FromGateway } from '@ebb/core';
import { listenLink, socketPath } from '@ebb/link';
import { atMost } from './clock.ts';
import { Control, type ListenForControl } from './control.ts';
import { HttpFront } from './front/http.ts';
import { Gateway } from './gateway.ts';
import { limits } from './limits.ts';
import type { Log } from './log.ts';
import { UndiciUpstream } from './upstream/undici.ts';
import { warmUp } from './warmUp.ts';

/** Where its link's socket is; or how else the control plane reaches it. */
type GatewayLinkPlace = { dataDirectory: string } | { listen: ListenForControl };

export type GatewayProcessOptions = GatewayLinkPlace & {
  /** Left out: `gateway`, where there is but one. */
  name?: string;
  /** A control plane has said everything that there is to know, for the first time. */
  onConfigured?: () => void;
  host: string;
  /** 0: any free one. */
  port: number;
  dispatcher: Dispatcher;
  log: Log;
  /** How long exchanges in flight may go on at a shutdown; default 30 s. */
  shutdownMs?: number;
};

export interface RunningGateway {
  url: string;
  port: number;
  gateway: Gateway;
  /** Takes nothing new, refuses what is held, lets what is in flight end. The same promise when asked again. */
  stop(reason: string): Promise<void>;
  /**
   * Ends without breaking anything off: goes on as before for `noticeMs`, while others learn that it leaves and clients are
   * asked to close their connections; then takes no new connection and waits until what it holds and carries has ended, for
   * `graceMs` at most; then stops.
   */
  leave(reason: string, times: { noticeMs: number; graceMs: number }): Promise<void>;
  /** Resolves when it has stopped, whoever asked. */
  stopped: Promise<void>;
}

/** The port belongs to somebody else. */
export class PortTakenError extends Error {
  constructor(host: string, port: number) {
    super(
      `port ${port} on ${host} is taken: another program listens there. Choose another one with --port, or 0 for any free one.`,
    );
  }
}

/** Starts a whole gateway: HTTP port, link socket, data path. Rejects with `PortTakenError` or `SocketInUseError`. */
export async function startGateway(options: GatewayProcessOptions): Promise<RunningGateway> {
  const { host, port, dispatcher, log } = options;
  const epoch = Date.now();
  // The same in every life: the control plane tells them apart by the process id in `hello`.
  const { name = 'gateway' } = options;
  const listen = 'listen' in options ? options.listen : socketOf(options.dataDirectory);
  let control: Control | null = null;
  const upstream = new UndiciUpstream();
  const gateway = new Gateway({
    name,
    dispatcher,
    upstream,
    send: (message: FromGateway) => control?.send(message) ?? false,
    onFault: (error) =>
      log('error', 'unexpected fault', { error: error instanceof Error ? error.stack : String(error) }),
  });
  const front = new HttpFront((exchange) => gateway.handle(exchange));
  const place = await front.listen(host, port).catch((error: NodeJS.ErrnoException) => {
    gateway.close();
    throw error.code === 'EADDRINUSE' ? new PortTakenError(host, port) : error;
  });
  const url = `http://${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`;

  let stopping: Promise<void> | null = null;
  const { promise: stopped, resolve: onStopped } = Promise.withResolvers<void>();
  const stop = (reason: string): Promise<void> => {
    stopping ??= (async () => {
      log('info', 'stopping', { reason });
      const closed = front.close();
      await gateway.drain(options.shutdownMs ?? limits.shutdownMs);
      // Answers are complete; a client that does not take its own is not waited for long.
      const timer = setTimeout(() => front.destroy(), lastBytesMs);
      await closed;
      clearTimeout(timer);
      gateway.close();
      await control?.close();
      log('info', 'stopped');
      onStopped();
    })();
    return stopping;
  };

  let leaving: Promise<void> | null = null;
  const leave: RunningGateway['leave'] = (reason, { noticeMs, graceMs }) => {
    leaving ??= (async () => {
      log('info', 'leaving', { reason, inFlightOrHeld: gateway.load() });
      front.announceClose();
      await atMost(noticeMs, stopped);
      void front.stopListening();
      // Empty also when it was stopped meanwhile.
      await gateway.empty(graceMs);
      await stop(reason);
    })();
    return leaving;
  };

  control = new Control({
    listen,
    gatewayName: name,
    epoch,
    url,
    gateway,
    onShutdown: () => void stop('the control plane said so'),
    onError: (message, error) => log('error', message, { error: String(error) }),
    onConnected: (connected) => log('info', connected ? 'control plane connected' : 'control plane gone'),
    onConfigured: () => options.onConfigured?.(),
  });
  try {
    await control.listen();
  } catch (error) {
    front.destroy();
    await front.close();
    gateway.close();
    throw error;
  }
  log('info', 'started', { url, gateway: name, pid: process.pid });
  const self = { host: place.host === '0.0.0.0' || place.host === '::' ? '127.0.0.1' : place.host, port: place.port };
  void warmUp(upstream, self).then(() => upstream.forget(self));
  return { url, port: place.port, gateway, stop, leave, stopped };
}

const lastBytesMs = 2000;

function socketOf(dataDirectory: string): ListenForControl {
  return (identity, onConnection) => listenLink(socketPath(dataDirectory, 'gateway'), identity, onConnection);
}
