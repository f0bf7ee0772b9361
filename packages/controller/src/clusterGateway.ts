import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { FromGateway, ToGateway } from '@ebb/core';
import { createDispatcher } from '@ebb/core/dispatch';
import { startGateway } from '@ebb/gateway';
import { listenTcpLink } from '@ebb/link';
import { type HealthServer, listenHealth } from './healthServer.ts';
import type { Log } from './log.ts';

export interface ClusterGatewayOptions {
  /** What it is called in counts and statuses: its pod's name. */
  name: string;
  /** Where requests come in. */
  serve: { host: string; port: number };
  /** Where the operator connects, and the file of the secret that both know; read for each connection. */
  link: { host: string; port: number; secretFile: string };
  /** Where `/livez`, `/healthz` and `/metrics` answer. */
  health: { host: string; port: number };
  log: Log;
}

export interface ClusterGateway {
  url: string;
  healthUrl: string;
  link: { host: string; port: number };
  /** Not ready from now on; ends once what it holds and carries has ended, or after `noticeMs` and `graceMs`. */
  leave(reason: string, times: { noticeMs: number; graceMs: number }): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
  /** Resolves when it has ended, whoever asked. */
  stopped: Promise<void>;
}

/** A gateway in a pod. Ready once an operator has told it what there is, and then also while there is no operator. */
export async function startClusterGateway(options: ClusterGatewayOptions): Promise<ClusterGateway> {
  const { name, serve, link, log } = options;
  let state: 'waiting' | 'ready' | 'leaving' = 'waiting';
  let place = { host: link.host, port: link.port };
  const running = await startGateway({
    name,
    host: serve.host,
    port: serve.port,
    dispatcher: createDispatcher(process.pid),
    log,
    shutdownMs: lastMs,
    onConfigured() {
      if (state === 'waiting') state = 'ready';
    },
    async listen(identity, onConnection) {
      const server = await listenTcpLink<ToGateway, FromGateway>(
        {
          host: link.host,
          port: link.port,
          secret: () => readFileSync(link.secretFile, 'utf8').trim(),
          onRefused: (from, reason) => log('warn', 'a connection to the link was refused', { from, reason }),
        },
        identity,
        onConnection,
      );
      place = server.address;
      return server;
    },
  });
  const metrics = () => running.gateway.metrics.text(running.gateway.allCounts());
  let health: HealthServer;
  try {
    health = await listenHealth(
      options.health,
      healthListener(() => state, metrics),
    );
  } catch (error) {
    await running.stop('it cannot say how it is');
    throw error;
  }
  const stopped = running.stopped.finally(() => {
    void health.close();
  });
  return {
    url: running.url,
    healthUrl: health.url,
    link: place,
    async leave(reason, times) {
      state = 'leaving';
      await running.leave(reason, times);
    },
    async stop() {
      state = 'leaving';
      await running.stop('it was told to end');
      await stopped;
    },
    stopped,
  };
}

/** For what is left when the time to leave is over: it is broken off. */
const lastMs = 1000;

const why = { waiting: 'no operator has said yet what there is', ready: 'ok', leaving: 'it is leaving' } as const;

function healthListener(state: () => keyof typeof why, metrics: () => string): RequestListener {
  return (request, answer) => {
    const reply = (status: number, text: string, type = 'text/plain') =>
      answer.writeHead(status, { 'content-type': type }).end(text);
    switch (request.url) {
      case '/livez':
        return reply(200, 'ok\n');
      case '/healthz':
        return reply(state() === 'ready' ? 200 : 503, `${why[state()]}\n`);
      case '/metrics':
        return reply(200, metrics(), 'text/plain; version=0.0.4; charset=utf-8');
      default:
        return reply(404, 'Here are /livez, /healthz and /metrics\n');
    }
  };
}
