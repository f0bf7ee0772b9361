import type { ApplyInput } from '@ebb/engine';
import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../client/objects.ts';
import { DocumentFeed } from './documentFeed.ts';
import { objectOf } from './seenNodes.fixture.ts';

const apiVersion = 'ebb.dev/v1alpha1';
const clusterOf = (name: string, spec: Record<string, unknown> = {}, createdAt = '2026-11-23T00:00:00Z') =>
  objectOf('Cluster', {
    apiVersion,
    metadata: { name, namespace: 'ops', creationTimestamp: createdAt },
    spec: { type: 'kubernetes', cloud: 'aws', region: 'us-east-1', ...spec },
  });
const poolOf = (name: string, spec: Record<string, unknown> = {}) =>
  objectOf('NodePool', { apiVersion, metadata: { name, namespace: 'ops' }, spec: { cluster: 'prod', ...spec } });

/** A feed from lists that a test changes; `say` tells of it, and resolves when it is brought. */
function fed() {
  const lists = { clusters: [] as KubernetesObject[], pools: [] as KubernetesObject[] };
  const calls: string[] = [];
  const log: string[] = [];
  let tell: () => void = () => {};
  let refusal: Error | null = null;
  const sink = {
    async apply(inputs: readonly ApplyInput[]) {
      if (refusal) throw refusal;
      for (const { kind, key } of inputs) calls.push(`apply ${kind} ${key.name}`);
    },
    async remove(kind: string, { name }: { name: string }) {
      calls.push(`remove ${kind} ${name}`);
    },
  };
  const list = (of: 'clusters' | 'pools') => ({ list: () => [...lists[of]] });
  const view = {
    clusters: list('clusters'),
    pools: list('pools'),
    listen(listener: (kind: 'document', event: null) => void) {
      tell = () => listener('document', null);
      return () => {};
    },
  } as unknown as ConstructorParameters<typeof DocumentFeed>[0]['view'];
  const feed = new DocumentFeed({ view, log: (_, __, data) => log.push(String(data?.error)) }, sink);
  return {
    ...{ lists, calls, log, feed },
    refuse: (error: Error | null) => (refusal = error),
    async say() {
      tell();
      await feed.close();
      feed.useSink(sink);
      await feed.close();
      feed.useSink(sink);
    },
  };
}

describe('documents of machines', () => {
  it('are brought when they change, and taken away when they go', async () => {
    const { lists, calls, feed, say } = fed();
    lists.clusters = [clusterOf('prod')];
    lists.pools = [poolOf('gpu')];
    await feed.fill();
    await say();
    expect(calls).toEqual(['apply Cluster prod', 'apply NodePool gpu']);
    expect(feed.pools()).toMatchObject([{ pool: { key: { cluster: 'prod', namespace: 'ops' } }, region: 'us-east-1' }]);
    // A status that was written is no change.
    lists.pools = [poolOf('gpu')];
    await say();
    expect(calls.length).toBe(2);
    lists.pools = [poolOf('gpu', { maxNodes: 3 })];
    await say();
    lists.pools = [];
    await say();
    expect(calls.slice(2)).toEqual(['apply NodePool gpu', 'remove NodePool gpu']);
  });

  it('are of one cluster: the oldest of type kubernetes', async () => {
    const { lists, calls, log, feed } = fed();
    const second = clusterOf('second', {}, '2026-11-24T00:00:00Z');
    lists.clusters = [
      second,
      clusterOf('prod'),
      clusterOf('desk', { type: 'local', cloud: 'local', region: undefined }),
    ];
    await feed.fill();
    expect(calls).toEqual(['apply Cluster prod']);
    expect(feed.problemOf(second)).toBe('this cluster is prod already; one Cluster of type kubernetes counts');
    expect(log.length).toBe(1);
  });

  it('have no problem any more when they are of another type, or have gone', async () => {
    const { lists, feed, say } = fed();
    const second = clusterOf('second', {}, '2026-11-24T00:00:00Z');
    const wrong = poolOf('gpu', { maxNodes: -1 });
    lists.clusters = [clusterOf('prod'), second];
    lists.pools = [wrong];
    await feed.fill();
    expect([feed.problemOf(second), feed.problemOf(wrong)]).not.toContain(null);
    lists.clusters = [clusterOf('prod'), clusterOf('second', { type: 'local', cloud: 'local', region: undefined })];
    lists.pools = [];
    await say();
    expect([feed.problemOf(second), feed.problemOf(wrong)]).toEqual([null, null]);
  });

  it('stay as they were while what is written there is wrong, or refused', async () => {
    const { lists, calls, feed, refuse, say } = fed();
    lists.pools = [poolOf('gpu')];
    await feed.fill();
    lists.pools = [poolOf('gpu', { maxNodes: -1 })];
    await say();
    expect(calls).toEqual(['apply NodePool gpu']);
    expect(feed.problemOf(poolOf('gpu'))).toMatch(/maxNodes/);
    refuse(new Error('not now'));
    lists.pools = [poolOf('gpu', { maxNodes: 2 })];
    await say();
    expect(feed.problemOf(poolOf('gpu'))).toBe('not now');
    refuse(null);
    await say();
    expect(calls).toEqual(['apply NodePool gpu', 'apply NodePool gpu']);
    expect(feed.problemOf(poolOf('gpu'))).toBeNull();
  });
});
