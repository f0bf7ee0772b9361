import { VirtualSystem, type VirtualSystemOptions, workloadDocument } from '@ebb/testing';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { onTestFinished } from 'vitest';
import type { ApiContext } from './context.ts';
import { apiServer } from './server.ts';
import { WatchRing } from './watchRing.ts';

export const token = `ebb_${'t'.repeat(43)}`;

/** The API over the real engine on virtual ports. */
export interface ApiSystem {
  app: FastifyInstance;
  system: VirtualSystem;
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

export async function apiSystem(
  overrides: Partial<ApiContext> = {},
  options: VirtualSystemOptions = {},
): Promise<ApiSystem> {
  const system = new VirtualSystem(options);
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
export function documentText(name: string, spec: Parameters<typeof workloadDocument>[1] = {}): string {
  return JSON.stringify(workloadDocument(name, spec));
}

export const json = { 'content-type': 'application/json' };
export const yaml = { 'content-type': 'application/yaml' };
