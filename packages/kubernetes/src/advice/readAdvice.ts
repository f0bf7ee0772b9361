import type { KubernetesClient } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import { readJson, textsAt, timeAt } from '../client/values.ts';
import { adviceConfigMap, leftOutKey } from './adviceBook.ts';
import { type Comparison, counted, differenceOf, readComparison } from './comparison.ts';

export interface Advice {
  readonly comparisons: readonly Comparison[];
  /** Targets that found no room in the ConfigMap. */
  readonly leftOut: number;
}

/**
 * What an operator has written of its advice, counted until now, or until its lease was last renewed where it has ended since.
 * Null: there is none.
 */
export async function readAdvice(
  client: KubernetesClient,
  lease: { namespace: string; name: string },
  wallNowMs: number,
): Promise<Advice | null> {
  const configMap = await client.get(resources.configMaps, adviceConfigMap(lease));
  if (!configMap) return null;
  const held = await client.get(resources.leases, lease).catch(() => null);
  const renewedMs = timeAt(held?.body, 'spec', 'renewTime');
  const data = textsAt(configMap.body, 'data');
  const comparisons = Object.entries(data).flatMap(([key, text]) => {
    const comparison = key === leftOutKey ? null : readComparison(readJson(text));
    if (!comparison) return [];
    return [counted(comparison, renewedMs === null ? comparison.atMs : Math.min(wallNowMs, renewedMs))];
  });
  comparisons.sort((left, right) => differenceOf(right) - differenceOf(left) || (left.name < right.name ? -1 : 1));
  return { comparisons, leftOut: Number(data[leftOutKey] ?? 0) || 0 };
}
