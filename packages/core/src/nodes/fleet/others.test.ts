import { describe, expect, it } from 'vitest';
import type { PlacementNode } from '../placement/types.ts';
import { Fleet, fleetPool, fleetSpec, minuteMs, smallPool, typesOf, waiting } from './fleet.fixture.ts';

function other(name: string, cores: number): PlacementNode {
  return {
    ...{ name, pool: '', labels: {}, taints: [], zone: 'a', region: 'r', cluster: 'local', capacityType: 'on-demand' },
    ...{ gpu: null, sharing: { kind: 'none' }, gpuUse: [], pods: [] },
    free: { cpuMilli: cores * 1000, memoryBytes: 64 * 1024 ** 3, pods: 10 },
  };
}

describe('nodes of others', () => {
  it('take what fits, before anything is bought; what is left is bought for', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(smallPool())]));
    fleet.pods = [waiting('a', 1.5), waiting('b', 1.5)];
    fleet.more = { others: [other('node/x', 2)] };
    const actions = fleet.step();
    expect(typesOf(actions)).toEqual(['launch', 'bind']);
    expect(fleet.nodes.length).toBe(1);
    // Nothing is said to them, and nothing more is bought while they have room.
    expect(fleet.step(1000)).toEqual([]);
    // The scheduler has found none there.
    fleet.more = { others: [] };
    expect(typesOf(fleet.step(1000))).toEqual(['launch', 'bind']);
  });
});

describe('nodes that are to be left alone', () => {
  it('neither end when they are empty nor leave for money, until that is taken back', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(smallPool())]));
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.step(0, { type: 'accepted', id: fleet.node().id });
    fleet.ready();
    fleet.pods = [];
    fleet.more = { doNotDisrupt: [fleet.node().id] };
    for (let minute = 0; minute < 5; minute++) expect(fleet.step(minuteMs)).toEqual([]);
    // Nothing new is said: it holds.
    fleet.more = {};
    expect(fleet.step(minuteMs)).toEqual([]);
    fleet.more = { doNotDisrupt: [] };
    expect(typesOf(fleet.step(minuteMs))).toEqual(['terminate']);
  });
});
