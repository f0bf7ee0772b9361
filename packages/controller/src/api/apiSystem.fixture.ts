import { loadCatalogue } from '@ebb/catalogue';
import type { Clock, Driver, Store } from '@ebb/core';
import { apiVersion } from '@ebb/documents';
import type { Engine } from '@ebb/engine';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { onTestFinished } from 'vitest';
import type { ApiContext } from './context.ts';
import { apiServer } from './server.ts';
import { WatchRing } from './watchRing.ts';

export const token = `ebb_${'t'.repeat(43)}`;

/** What the API needs of a `VirtualSystem`. */
interface EngineOnPorts {
  start(): Promise<Engine>;
  clock: Pick<Clock, 'nowMs'>;
  store: Store;
  driver: Pick<Driver, 'logs'>;
}

/** The API over the real engine on virtual ports. */
export interface ApiSystem<System = unknown> {
  app: FastifyInstance;
  system: System;
  context: ApiContext;
  shutdowns: { leaveRunning: boolean }[];
  logged: { level: string; message: string; data: unknown }[];
  /** With the token, as the page's own origin would. */
  ask: (
    method: NonNullable<InjectOptions['method']>,
    url: string,
    options?: InjectOptions,
  ) => Promise<LightMyRequestResponse>;
}

export async function apiSystem<System extends EngineOnPorts>(
  system: System,
  overrides: Partial<ApiContext> = {},
): Promise<ApiSystem<System>> {
  const engine = await system.start();
  const ring = new WatchRing(system.clock.nowMs() * 1000);
  engine.watch((event) => ring.push(event));
  const shutdowns: ApiSystem['shutdowns'] = [];
  const logged: ApiSystem['logged'] = [];
  const context: ApiContext = {
    version: '0.0.0-test',
    startedAt: system.clock.nowMs(),
    dataDirectory: 'data',
    token,
    metricsOpen: false,
    clock: system.clock,
    engine,
    store: system.store,
    logs: (query) => system.driver.logs(query),
    offerings: () => loadCatalogue(),
    gateway: () => ({ connected: true, url: 'http://127.0.0.1:8080', pid: 1 }),
    agent: () => ({ connected: true, pid: 2 }),
    ring,
    page: () => ({ html: '<!doctype html><title>Ebb</title>', contentSecurityPolicy: "default-src 'none'" }),
    shutdown: (how) => void shutdowns.push(how),
    phase: () => 'ready',
    log: (level, message, data) => void logged.push({ level, message, data }),
    ...overrides,
  };
  const app = apiServer(context);
  onTestFinished(() => app.close());
  return {
    app,
    system,
    context,
    shutdowns,
    logged,
    ask: (method, url, injected = {}) =>
      app.inject({
        method,
        url,
        ...injected,
        headers: { host: 'localhost', authorization: `Bearer ${token}`, ...injected.headers },
      }),
  };
}

/** A workload document as JSON text. */
export function documentText(name: string, spec: Record<string, unknown> = {}): string {
  const classes = [{ name: 'default', command: ['serve'], pricePerHour: 0.36 }];
  return JSON.stringify({
    apiVersion,
    kind: 'Workload',
    metadata: { name, namespace: 'default' },
    spec: { classes, ...spec },
  });
}

export const json = { 'content-type': 'application/json' };
export const yaml = { 'content-type': 'application/yaml' };
