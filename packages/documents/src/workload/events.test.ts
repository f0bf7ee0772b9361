import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { resolveWorkload } from './resolve.ts';

const workload = (event: string) => `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: shop }
spec:
  classes: [{ name: default, command: [./serve] }]
  scaling:
    maxReplicas: 4
    events: [${event}]
`;

const messages = (event: string) =>
  parseDocuments(workload(event), { file: 'w.yaml' }).problems.map(({ message }) => message);

describe('dated events', () => {
  it('are resolved to local times and milliseconds', () => {
    const text = workload('{ name: sale, from: 2026-11-27, to: 2026-11-28T12:00, lead: 1h, factor: 2 }');
    const { documents, problems } = parseDocuments(text, { file: 'w.yaml' });
    expect(problems).toEqual([]);
    expect(resolveWorkload(documents[0]?.document, { baseDirectory: '/' }).scaling.events).toEqual([
      {
        name: 'sale',
        timezone: 'UTC',
        from: '2026-11-27T00:00:00',
        to: '2026-11-28T12:00:00',
        leadMs: 3_600_000,
        factor: 2,
        minReplicas: 0,
      },
    ]);
  });

  it.each([
    ['{ name: a, from: 2026-02-29, to: 2026-03-01, factor: 2 }', 'is no day of the calendar'],
    ['{ name: a, from: 2026-03-02, to: 2026-03-01, factor: 2 }', 'over before it begins'],
    ['{ name: a, from: 2026-03-01T25:00, to: 2026-03-02, factor: 2 }', 'is no time of day'],
    ['{ name: a, from: Christmas, to: 2026-03-02, factor: 2 }', 'is not a date'],
    ['{ name: a, from: 2026-03-01, to: 2026-03-02 }', 'changes nothing'],
    ['{ name: a, from: 2026-03-01, to: 2026-03-02, minReplicas: 9 }', 'larger than maxReplicas'],
  ])('%s is refused', (event, message) => {
    expect(messages(event).join('\n')).toContain(message);
  });
});
