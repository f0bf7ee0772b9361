import { until } from '@ebb/testing/services';
import { afterEach, beforeEach } from 'vitest';
import { type FakeCluster, startFakeCluster } from './fakeCluster.fixture.ts';
import { runOperator, type StartedOperator, ToldTriggers } from './operator.fixture.ts';

type More = Partial<Parameters<typeof runOperator>[0]>;

/**
 * A fake cluster for each test of a file, with the operators that a test starts against it: made before it, ended after
 * it. Call it outside of tests and before other hooks, so that these find the cluster.
 */
export function fakeOperators({
  podsReadyAfterMs,
  shown = () => '',
}: {
  podsReadyAfterMs?: number;
  /** What is told of the cluster where a test waits in vain. */
  shown?: (cluster: FakeCluster) => string;
} = {}) {
  let cluster: FakeCluster;
  let triggers: ToldTriggers;
  const started: StartedOperator[] = [];
  beforeEach(async () => {
    cluster = await startFakeCluster();
    if (podsReadyAfterMs !== undefined) cluster.server.podsReadyAfterMs = podsReadyAfterMs;
    triggers = new ToldTriggers();
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
    await cluster.close();
  });
  const start = async (more: More = {}) => {
    const one = await runOperator({ server: cluster.server.url, identity: 'a', triggers, ...more });
    started.push(one);
    return one;
  };
  return {
    get cluster() {
      return cluster;
    },
    get triggers() {
      return triggers;
    },
    started,
    start,
    /** Resolves when it follows the cluster. */
    async run(more: More = {}) {
      const one = await start(more);
      await one.operator.ready;
      return one;
    },
    within: (check: () => boolean, what: string, withinMs = 4000) =>
      until(check, {
        withinMs,
        what: () => `${what}; ${shown(cluster)} ${started.map(({ log }) => log.join('\n')).join('\n')}`,
      }),
  };
}
