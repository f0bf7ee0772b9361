import type { FromGateway, GatewayEvent, GatewayWorkload, ToGateway } from '@ebb/core';
import { type Connection, type LinkServer, listenLink, socketPath } from '@ebb/link';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectGateway, type GatewayLink } from './gatewayLink.ts';
import { temporaryDirectory } from './temporaryDirectory.fixture.ts';

/** The gateway's end of the link, with what it was told. */
class Peer {
  readonly told: ToGateway[] = [];
  readonly connections: Connection<ToGateway, FromGateway>[] = [];
  #server: LinkServer | null = null;
  readonly #dataDirectory: string;

  constructor(dataDirectory: string) {
    this.#dataDirectory = dataDirectory;
  }

  async listen(epoch = 1): Promise<void> {
    const path = socketPath(this.#dataDirectory, 'gateway');
    this.#server = await listenLink<ToGateway, FromGateway>(path, { sender: 'gateway-1', epoch }, (connection) => {
      this.connections.push(connection);
      connection.onMessage = (message) => this.told.push(message);
      connection.send({ type: 'hello', gateway: 'gateway-1', url: 'http://127.0.0.1:8080', pid: 42 });
    });
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await this.#server?.close();
    this.#server = null;
  }
}

function workload(key: string): GatewayWorkload {
  const timeouts = { holdMs: 1, responseMs: 1, requestMs: 0, idleMs: 0 };
  const buffer = { maxRequests: 1, maxBodyBytes: 1, maxTotalBytes: 1 };
  const serving = {
    routes: [],
    timeouts,
    buffer,
    balancing: 'random' as const,
    affinity: null,
    deferrable: null,
    drainMs: 1,
  };
  return { key, classes: [{ name: 'default', accepts: null }], serving, endpoints: [], unavailable: null };
}

async function connected(): Promise<{ peer: Peer; link: GatewayLink; events: GatewayEvent[] }> {
  const dataDirectory = temporaryDirectory();
  const peer = new Peer(dataDirectory);
  await peer.listen();
  onTestFinished(() => peer.close());
  const link = connectGateway({ dataDirectory, epoch: 3, log: () => {} });
  onTestFinished(() => link.close());
  const events: GatewayEvent[] = [];
  link.watch((event) => events.push(event));
  await link.connected(5_000);
  return { peer, link, events };
}

const keysOf = (message: ToGateway | undefined) =>
  message?.type === 'sync' ? message.workloads.map(({ key }) => key) : null;

describe('connectGateway', () => {
  it('tells nothing before it is released, then everything at once, then changes', async () => {
    const { peer, link } = await connected();
    link.configure(workload('local/default/a'));
    link.configure(workload('local/default/b'));
    link.remove('local/default/a');
    link.release();
    link.configure(workload('local/default/c'));
    link.remove('local/default/b');
    await vi.waitFor(() => expect(peer.told).toHaveLength(3));
    expect(keysOf(peer.told[0])).toEqual(['local/default/b']);
    expect(peer.told.slice(1).map(({ type }) => type)).toEqual(['workload', 'remove']);
  });

  it('knows where the gateway is, and tells a late listener', async () => {
    const { link } = await connected();
    expect(link.state()).toEqual({ connected: true, url: 'http://127.0.0.1:8080', pid: 42 });
    const late: GatewayEvent[] = [];
    link.watch((event) => late.push(event));
    await vi.waitFor(() =>
      expect(late).toEqual([{ type: 'connected', gateway: 'gateway-1', url: 'http://127.0.0.1:8080', pid: 42 }]),
    );
  });

  it('finds a gateway that was started again and tells it everything', async () => {
    const { peer, link, events } = await connected();
    link.configure(workload('local/default/a'));
    link.release();
    await peer.close();
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'disconnected', gateway: 'gateway-1' }));
    expect(link.state()).toMatchObject({ connected: false, pid: null });
    link.configure(workload('local/default/b'));
    peer.told.length = 0;
    await peer.listen(2);
    await vi.waitFor(() => expect(keysOf(peer.told[0])).toEqual(['local/default/a', 'local/default/b']));
    expect(events.at(-1)).toMatchObject({ type: 'connected' });
  });

  it('sends everything again when the gateway asks', async () => {
    const { peer, link } = await connected();
    link.configure(workload('local/default/a'));
    link.release();
    await vi.waitFor(() => expect(peer.told).toHaveLength(1));
    peer.connections[0]?.send({ type: 'resend' });
    await vi.waitFor(() => expect(keysOf(peer.told[1])).toEqual(['local/default/a']));
  });

  it('gives up waiting, not trying', async () => {
    const dataDirectory = temporaryDirectory();
    const link = connectGateway({ dataDirectory, epoch: 1, log: () => {} });
    onTestFinished(() => link.close());
    await expect(link.connected(20)).rejects.toThrow(/within 20 ms/);
    const peer = new Peer(dataDirectory);
    await peer.listen();
    onTestFinished(() => peer.close());
    await link.connected(5_000);
  });
});
