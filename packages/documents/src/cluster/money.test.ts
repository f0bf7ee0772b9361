import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveCluster } from './resolve.ts';

const text = (spec: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: Cluster\nmetadata: { name: local }\nspec:\n${spec}\n`;
const parsed = (spec: string) => parseDocuments(text(spec), { file: 'c.yaml' });

test('budgets, namespaces and alarms in core units', () => {
  const { documents, problems } = parsed(`
  budget: { perMonth: 300 }
  namespaces:
    - { name: team-a, maxReplicas: 4, memory: 1Gi, maxPricePerHour: 2.5, budget: { perMonth: "40.5", currency: EUR, mode: warn } }
  alarms: { idleCostAbove: "5.00", idleFor: 90m, webhook: https://hooks.example.com/x }`);
  expect(problems).toEqual([]);
  expect(resolveCluster(documents[0]?.document)).toMatchObject({
    budget: { limitMicro: 300_000_000, currency: 'USD', mode: 'stopGrowing' },
    namespaces: [
      {
        name: 'team-a',
        limits: {
          maxReplicas: 4,
          capacity: { cpuMilli: null, memoryBytes: 1_073_741_824, gpuMilli: null },
          maxPricePerHourMicro: 2_500_000,
        },
        budget: { limitMicro: 40_500_000, currency: 'EUR', mode: 'warn' },
      },
    ],
    alarms: { idleCostAboveMicro: 5_000_000, idleForMs: 5_400_000, webhook: 'https://hooks.example.com/x' },
  });
});

test.each([
  ['  budget: {}', 'missing field "perMonth" in spec.budget'],
  ['  budget: { perMonth: 1, mode: stop }', 'spec.budget.mode has the unknown value "stop"'],
  ['  alarms: { webhook: "file:///etc" }', 'must be an http or https address'],
  ['  alarms: { webhook: "https://me:word@host/" }', 'without a user name'],
  ['  alarms: { idleCostAbove: lots }', '"lots" is not an amount'],
  ['  namespaces: [{ name: a }, { name: a }]', 'namespace "a" is there twice'],
])('%s is refused', (spec, message) => {
  expect(parsed(spec).problems.map(problemText).join('\n')).toContain(message);
});
