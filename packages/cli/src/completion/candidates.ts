import type { EbbContext } from '../context.ts';

/** Kinds in the singular and the plural. Loaded only when a shell asks, as everything here. */
export async function completeKind(this: EbbContext, partial: string): Promise<string[]> {
  const { kinds } = await import('../kinds.ts');
  return kinds.flatMap(({ plural, singular }) => [plural, singular]).filter((name) => name.startsWith(partial));
}

/** Names of the workloads of the running Ebb; none where none runs or it does not answer at once. */
export async function completeWorkload(this: EbbContext, partial: string): Promise<string[]> {
  const { workloadNames } = await import('./workloadNames.ts');
  return (await workloadNames(this)).filter((name) => name.startsWith(partial));
}

/** Trigger types that work here. */
export async function completeScaler(this: EbbContext, partial: string): Promise<string[]> {
  const { scalers } = await import('@ebb/scalers');
  return scalers.map(({ type }) => type).filter((type) => type.startsWith(partial));
}

/** Policies of a rehearsal, behind those that the list already has. */
export async function completePolicies(this: EbbContext, partial: string): Promise<string[]> {
  const { comparablePolicies } = await import('@ebb/simulator');
  const before = partial.slice(0, partial.lastIndexOf(',') + 1);
  return comparablePolicies()
    .map(({ example }) => before + example)
    .filter((list) => list.startsWith(partial));
}
