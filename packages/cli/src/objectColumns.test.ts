import type { ApiObject } from '@ebb/client';
import { expect, test } from 'vitest';
import { workloadStatus } from './live/status.fixture.ts';
import { objectColumns } from './objectColumns.ts';
import { table } from './text/table.ts';

const metadata = {
  name: 'web',
  namespace: 'default',
  cluster: 'local',
  labels: {},
  annotations: {},
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00.000Z',
};

test('the wide table of workloads names the class of the hint', () => {
  const numbers = {
    costPerHourMicro: {},
    lateShare: {},
    measuredLateShare: 0,
    breakEvenRatePerHour: null,
    confidence: 0,
  };
  const object = (name: string | null | undefined): ApiObject => ({
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata,
    spec: {},
    status: workloadStatus(name === undefined ? {} : { classHint: { class: name, because: 'so', ...numbers } }),
  });
  const shown = (wide: boolean) => {
    const columns = objectColumns('Workload', { wide, namespaces: false, nowMs: Date.parse('2026-01-02T00:00:00Z') });
    const at = columns.findIndex(({ title }) => title === 'hint');
    return { at, cells: [object('gpu'), object(null), object(undefined)].map((one) => columns[at]?.value(one)) };
  };
  expect(shown(true).cells).toEqual(['gpu', '-', '-']);
  expect(shown(false).at).toBe(-1);
  const columns = objectColumns('Workload', { wide: true, namespaces: false, nowMs: 0 });
  expect(table(columns, [object('gpu')]).join('\n')).toMatch(/hint/i);
});
