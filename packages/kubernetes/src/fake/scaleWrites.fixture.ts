import { until } from '@ebb/testing/services';
import { expect } from 'vitest';
import type { Transport } from '../client/transport.ts';
import { numberAt, readJson } from '../client/values.ts';

/** A count that the API server has taken, noted when its answer is here. */
export interface ScaleWrite {
  readonly namespace: string;
  readonly name: string;
  readonly count: number;
  readonly atMs: number;
}

/** Notes every count that is written through a transport. */
export function noteScales(inner: Transport): { transport: Transport; writes: ScaleWrite[] } {
  const writes: ScaleWrite[] = [];
  const transport: Transport = {
    ...inner,
    async send(request) {
      const answer = await inner.send(request);
      const [, namespace = '', name = ''] = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)\/scale$/.exec(request.path) ?? [];
      if (request.method === 'PUT' && name !== '' && answer.status === 200) {
        const count = numberAt(readJson(answer.text), 'spec', 'replicas') ?? 0;
        writes.push({ namespace, name, count, atMs: performance.now() });
      }
      return answer;
    },
  };
  return { transport, writes };
}

/** What was written is that and no more. The answer of a write comes after what others see of it. */
export async function expectWritten(written: () => readonly number[], expected: readonly number[]): Promise<void> {
  await until(() => written().length >= expected.length, {
    withinMs: 30_000,
    what: () => `the answers of ${expected.join(', ')}, where there are those of ${written().join(', ')},`,
  });
  expect(written()).toEqual(expected);
}
