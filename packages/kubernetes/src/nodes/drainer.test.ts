import type { FleetNode } from '@ebb/core';
import { VirtualClock } from '@ebb/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { ApiServerError } from '../client/client.ts';
import { Drainer } from './drainer.ts';
import { fleetNode } from './fleetNode.fixture.ts';
import { nodeOf, on, ours, podOf, ToldNodes } from './seenNodes.fixture.ts';

let clock: VirtualClock;
let told: ToldNodes;
let drainer: Drainer;
let mayWrite: boolean;
const log: string[] = [];
const going = (kind: 'drift' | 'interruption' | 'unready' = 'drift') => ({
  ...{ sinceMs: 0, untilMs: null, evictedAtMs: null },
  reason: { kind } as NonNullable<FleetNode['going']>['reason'],
});
const draining = (change: Partial<FleetNode> = {}) => fleetNode('n1', { phase: 'draining', going: going(), ...change });

beforeEach(() => {
  clock = new VirtualClock();
  told = new ToldNodes();
  mayWrite = true;
  log.length = 0;
  drainer = new Drainer({
    client: told.client,
    view: told,
    clock,
    mayWrite: () => mayWrite,
    log: (_, text) => log.push(text),
  });
  told.objects = [nodeOf('a', { metadata: { labels: ours('n1') } }), nodeOf('foreign')];
  told.pods = [on('a', podOf('web')), on('foreign', podOf('theirs'))];
});

/** As the fleet does it after each thing that happens. */
async function follow(book: FleetNode[], evict: string[] = []): Promise<void> {
  for (let round = 0; round < 3; round++) {
    drainer.follow('prod', book, new Set(evict));
    await clock.advance(0);
  }
}

describe('a node that goes', () => {
  it('is closed first, then emptied; nodes of others are not touched', async () => {
    drainer.follow('prod', [draining()], new Set());
    await clock.advance(0);
    expect(told.asked).toEqual([]);
    expect(told.patches).toEqual([
      { name: 'a', body: { metadata: { annotations: { 'ebb.dev/cordoned': 'true' } }, spec: { unschedulable: true } } },
    ]);
    await follow([draining()]);
    expect(told.asked).toEqual(['evict web']);
    expect(told.patches.length).toBe(1);
    expect(told.pods.map(({ name }) => name)).toEqual(['theirs']);
  });

  it('is opened again where it is kept, and only where Ebb had closed it', async () => {
    const cordoned = { spec: { unschedulable: true } };
    told.objects = [
      nodeOf('a', { metadata: { labels: ours('n1'), annotations: { 'ebb.dev/cordoned': 'true' } }, ...cordoned }),
      nodeOf('b', { metadata: { labels: ours('n2') }, ...cordoned }),
    ];
    await follow([fleetNode('n1'), fleetNode('n2')]);
    expect(told.patches).toEqual([
      { name: 'a', body: { metadata: { annotations: { 'ebb.dev/cordoned': null } }, spec: { unschedulable: null } } },
    ]);
  });

  it('waits where a disruption budget says so, and asks again', async () => {
    told.refusals.set('web', new ApiServerError(429, 'TooManyRequests', 'would violate the budget', 7000));
    await follow([draining()]);
    expect(told.asked).toEqual(['evict web']);
    expect(log).toEqual(['a pod may not leave yet: would violate the budget']);
    await clock.advance(6999);
    expect(told.asked.length).toBe(1);
    told.refusals.clear();
    await clock.advance(1);
    expect(told.asked).toEqual(['evict web', 'evict web']);
  });

  it('keeps pods that are to stay, unless it is taken', async () => {
    const stays = { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } };
    told.pods = [on('a', podOf('job', { metadata: stays }))];
    await follow([draining()]);
    expect(told.asked).toEqual([]);
    await follow([draining({ going: going('interruption') })]);
    expect(told.asked).toEqual(['evict job']);
  });

  it('lets the system leave last, and daemons not at all', async () => {
    told.pods = [
      on('a', podOf('dns', { spec: { priority: 2_000_000_000 } })),
      on('a', podOf('web')),
      on('a', podOf('agent', { metadata: { ownerReferences: [{ kind: 'DaemonSet', name: 'd', controller: true }] } })),
    ];
    await follow([draining()]);
    expect(told.asked).toEqual(['evict web', 'evict dns']);
    expect(told.pods.map(({ name }) => name)).toEqual(['agent']);
  });

  it('waits for what was bought in its place', async () => {
    const next = fleetNode('n2', { phase: 'starting', replaces: ['n1'] });
    await follow([draining(), next]);
    expect(told.asked).toEqual([]);
    await follow([draining(), { ...next, phase: 'ready' }]);
    expect(told.asked).toEqual(['evict web']);
  });

  it('ends pods whose time is over, whatever their budget says', async () => {
    told.refusals.set('web', new ApiServerError(429, 'TooManyRequests', 'no'));
    await follow([draining()], ['n1']);
    expect(told.asked).toContain('delete Pod web');
  });

  it('writes nothing once another one leads, and nothing after it has stopped', async () => {
    mayWrite = false;
    await follow([draining()]);
    expect([told.asked, told.patches]).toEqual([[], []]);
    mayWrite = true;
    told.refusals.set('web', new ApiServerError(429, 'TooManyRequests', 'no'));
    await follow([draining()]);
    const { length } = told.asked;
    drainer.stop();
    await clock.advance(60_000);
    expect(told.asked.length).toBe(length);
  });

  it('says how many have to leave before it ends', async () => {
    drainer.follow('prod', [fleetNode('n1')], new Set());
    expect(await drainer.close('n1')).toBe(1);
    expect(told.patches.length).toBe(1);
    expect(await drainer.close('unknown')).toBe(0);
  });
});
