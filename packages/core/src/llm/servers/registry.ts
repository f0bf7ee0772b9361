import type { LlmServer } from '@ebb/documents';
import type { LlmServerMetrics, SignalSource } from '../serverMetrics.ts';
import { llamacpp } from './llamacpp.ts';
import { sglang } from './sglang.ts';
import { tgi } from './tgi.ts';
import { triton } from './triton.ts';
import { vllm } from './vllm.ts';

/** Every server by its name in documents. A new one is a file and a line here. */
export const llmServerMetrics: Record<LlmServer, LlmServerMetrics> = { vllm, tgi, triton, llamacpp, sglang };

/** Names of the metrics that any of the servers' signals is read from. */
export const readMetricNames: ReadonlySet<string> = new Set(
  Object.values(llmServerMetrics).flatMap(({ signals }) =>
    Object.values(signals).flatMap((sources) => sources.flatMap(namesOf)),
  ),
);

/** The server whose page this is, by the first metric that begins as one of its own; null: none of those known. */
export function serverOfPage(text: string): LlmServerMetrics | null {
  let first: { at: number; metrics: LlmServerMetrics } | null = null;
  for (const metrics of Object.values(llmServerMetrics)) {
    for (const prefix of metrics.prefixes) {
      const at = text.startsWith(prefix) ? 0 : text.indexOf(`\n${prefix}`);
      if (at >= 0 && (first === null || at < first.at)) first = { at, metrics };
    }
  }
  return first?.metrics ?? null;
}

function namesOf(source: SignalSource): string[] {
  switch (source.kind) {
    case 'histogram':
      return [`${source.name}_bucket`, `${source.name}_sum`, `${source.name}_count`];
    case 'means':
      return source.parts.flatMap(({ sum, count }) => [sum.name, count.name]);
    default:
      return [source.metric.name];
  }
}
