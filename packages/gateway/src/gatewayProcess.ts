import type { Dispatcher, FromGateway } from '@ebb/core';
import { socketPath } from '@ebb/link';
import { Control } from './control.ts';
import { HttpFront } from './front/http.ts';
import { Gateway } from './gateway.ts';
import { limits } from './limits.ts';
import type { Log } from './log.ts';
import { UndiciUpstream } from './upstream/undici.ts';
import { warmUp } from './warmUp.ts';

export interface GatewayProcessOptions {
  dataDirectory: string;
  host: string;
  /** 0: any free one. */
  port: number;
  dispatcher: Dispatcher;
  log: Log;
  /** How long exchanges in flight may go on at a shutdown; default 30 s. */
  shutdownMs?: number;
}

export interface RunningGateway {
  url: string;
  port: number;
  gateway: Gateway;
  /** Takes nothing new, refuses what is held, lets what is in flight end. The same promise when asked again. */
  stop(reason: string): Promise<void>;
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
  const { dataDirectory, host, port, dispatcher, log } = options;
  const epoch = Date.now();
  // The same in every life: the control plane tells them apart by the process id in `hello`.
  const name = 'gateway';
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

  control = new Control({
    path: socketPath(dataDirectory, 'gateway'),
    gatewayName: name,
    epoch,
    url,
    gateway,
    onShutdown: () => void stop('the control plane said so'),
    onError: (message, error) => log('error', message, { error: String(error) }),
    onConnected: (connected) => log('info', connected ? 'control plane connected' : 'control plane gone'),
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
  return { url, port: place.port, gateway, stop, stopped };
}

const lastBytesMs = 2000;
