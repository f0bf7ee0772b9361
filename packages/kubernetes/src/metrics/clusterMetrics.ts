import { parseMilli } from '@ebb/documents';
import { type ClusterMetricQuestion, SourceError } from '@ebb/scalers';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import { type JsonObject, listAt, textAt, valueText } from '../client/values.ts';

const external = 'external.metrics.k8s.io/v1beta1';
/** The newer first: adapters serve one of them, or both. */
const customVersions = ['custom.metrics.k8s.io/v1beta2', 'custom.metrics.k8s.io/v1beta1'] as const;

/**
 * The sum of what the external or custom metrics API has of a metric, as HPA's metrics client asks for it. Throws
 * `SourceError`: no series is one, and never zero.
 */
export async function readClusterMetric(
  client: KubernetesClient,
  { namespace, metric, metricSelector, object, podSelector }: ClusterMetricQuestion,
  signal: AbortSignal,
): Promise<number> {
  const within = (version: string, ...parts: readonly string[]) =>
    `/apis/${version}/namespaces/${[namespace, ...parts, metric].map((part) => (part === '*' ? part : encodeURIComponent(part))).join('/')}`;
  const answer =
    object === null
      ? await asked(external, client, within(external), { labelSelector: metricSelector || undefined }, signal)
      : await askedFirst(
          client,
          (version) => within(version, ...(object === 'pods' ? ['pods', '*'] : object.split('/'))),
          {
            labelSelector: podSelector || undefined,
            metricLabelSelector: metricSelector || undefined,
          },
          signal,
        );
  const values = listAt(answer, 'items').map((item) => valueOf(item, metric));
  if (values.length === 0) throw new SourceError('not-found', `the cluster's metrics API has nothing of ${metric}`);
  return values.reduce((sum, value) => sum + value, 0);
}

type Query = Readonly<Record<string, string | undefined>>;

async function askedFirst(
  client: KubernetesClient,
  pathOf: (version: string) => string,
  query: Query,
  signal: AbortSignal,
): Promise<JsonObject> {
  const [newer, older] = customVersions;
  try {
    return await asked(newer, client, pathOf(newer), query, signal);
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== 'not-found') throw error;
    return asked(older, client, pathOf(older), query, signal);
  }
}

async function asked(
  version: string,
  client: KubernetesClient,
  path: string,
  query: Query,
  signal: AbortSignal,
): Promise<JsonObject> {
  try {
    return await client.read(path, query, signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isStatus(error, 404)) {
      throw new SourceError(
        'not-found',
        `${version}: ${message}; no adapter serves that API, or it has no such metric`,
      );
    }
    if (isStatus(error, 403)) {
      throw new SourceError('unauthorized', `${message}; give the operator that right (docs/kubernetes-metrics.md)`);
    }
    throw new SourceError('unreachable', `${version}: ${message}`, { cause: error });
  }
}

function valueOf(item: unknown, metric: string): number {
  const written = typeof item === 'object' && item !== null && 'value' in item ? valueText(item.value) : null;
  const isNegative = written?.startsWith('-') === true;
  const parsed = written === null ? null : parseMilli(isNegative ? written.slice(1) : written);
  if (!parsed || 'error' in parsed) {
    const of = textAt(item, 'describedObject', 'name');
    throw new SourceError(
      'bad-answer',
      `${metric}${of === null ? '' : ` of ${of}`} is no quantity: "${written ?? ''}"`,
    );
  }
  return (isNegative ? -1 : 1) * (parsed.value / 1000);
}
