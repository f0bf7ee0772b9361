import { VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

describe('smoke', () => {
  it('goes 0 to 1 to 0', async () => {
    const system = new VirtualSystem({ seed: 1 });
    await system.start();
    await system.apply(workloadDocument('web', { scaling: { keepAlive: '30s', maxReplicas: 3 } }));
    await system.clock.advance(2000);
    const exchange = system.gateway.arrive('local/default/web', 50_000);
    await system.clock.advance(5000);
    console.log(exchange, JSON.stringify(system.engine.statuses()[0], null, 1));
    await system.clock.advance(60_000);
    console.log(JSON.stringify(system.engine.statuses()[0]?.replicas), system.logs, system.store.records.map((r) => `${r.sequence} ${r.atMs - 1767225600000} ${r.kind} ${JSON.stringify(r.body).slice(0, 300)}`).join('\n'));
    const ex = await system.await(system.engine.explain({ cluster: 'local', namespace: 'default', name: 'web' }));
    console.log(ex?.lines);
    expect(exchange.outcome).toBe('succeeded');
  });
});
