import { applyInput, VirtualSystem, workloadDocument } from '@ebb/testing';
import type { OperatorMetrics } from './operatorMetrics.ts';

/** What an operator would tell of a workload that has served a request and is scaled by two triggers, one of which fails. */
export async function leadingMetrics(): Promise<OperatorMetrics> {
  const system = new VirtualSystem();
  const started = await system.start();
  await started.apply([applyInput(workloadDocument('a'))]);
  await system.clock.advance(100);
  system.gateway.arrive('local/default/a', 50_000);
  await system.clock.advance(3_000);
  const trigger = { type: 'redis', target: 10, at: 0, message: '' } as const;
  const triggers = [
    { ...trigger, name: 's0-redis-jobs', state: 'ok', value: 25, active: true },
    { ...trigger, name: 's1-redis-"more"', state: 'error', value: null, active: null },
  ] as const;
  const statuses = started.statuses().map((status) => ({
    ...status,
    scaledBy: { kind: 'ScaledObject' as const, name: 'a-scaler', mode: 'exact' as const, triggers: [...triggers] },
  }));
  const engine = { statuses: () => statuses, fleets: () => [], scaledJobs: () => [] };
  return { version: '0.0.0-test', startedAt: 1_000, engine };
}
