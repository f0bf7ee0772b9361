import { type NodeLaunch, ProviderError } from '@ebb/core';
import { keyText, type MachineSpec, nearest, type NodePoolSpec } from '@ebb/documents';

/**
 * A free machine of the launch's pool and kind, in the pool's order.
 * @throws ProviderError `refused` without such a pool, `unknown-offering` without such a kind, `stock-out` when none is free.
 */
export function pickMachine(
  pools: readonly NodePoolSpec[],
  { offering, pool: poolName }: NodeLaunch,
  taken: ReadonlySet<string>,
): MachineSpec {
  const pool = pools.find(({ key }) => keyText(key) === poolName);
  if (!pool) throw new ProviderError('refused', `there is no node pool "${poolName}"`);
  const { capacityType, instanceType, zone } = offering;
  const kinds = [...new Set(pool.machines.map((machine) => machine.instanceType))];
  if (capacityType !== 'on-demand')
    throw new ProviderError('unknown-offering', `machines of one's own are never ${capacityType}`);
  if (!kinds.includes(instanceType)) {
    const near = nearest(instanceType, kinds);
    const have = kinds.length === 0 ? 'none' : kinds.join(', ');
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    throw new ProviderError('unknown-offering', `pool "${poolName}" has no "${instanceType}"; it has ${have}${hint}`);
  }
  const fitting = pool.machines.filter(
    (machine) => machine.instanceType === instanceType && (zone === '*' || machine.zone === zone),
  );
  if (fitting.length === 0)
    throw new ProviderError('unknown-offering', `pool "${poolName}" has no "${instanceType}" in zone "${zone}"`);
  const free = fitting.find(({ name }) => !taken.has(name));
  if (free) return free;
  const all = fitting.length === 1 ? 'the only machine' : `all ${fitting.length} machines`;
  throw new ProviderError(
    'stock-out',
    `${all} of kind "${instanceType}" of pool "${poolName}" ${fitting.length === 1 ? 'is' : 'are'} in use`,
  );
}
