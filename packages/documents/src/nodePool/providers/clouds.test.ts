import { expect, test } from 'vitest';
import { parseDocuments } from '../../parse/parseDocuments.ts';
import { problemText } from '../../problem.ts';
import { resolveNodePool } from '../resolve.ts';

const pool = (spec: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: gpu }\nspec:\n  ${spec}\n`;

function problems(spec: string): string {
  const found = parseDocuments(pool(spec), { file: 'p.yaml' }).problems;
  return found
    .filter(({ severity }) => severity === 'error')
    .map(problemText)
    .join('\n');
}

const read = (spec: object) =>
  resolveNodePool({ apiVersion: 'ebb.dev/v1alpha1', kind: 'NodePool', metadata: { name: 'gpu' }, spec });

test('spec.gcp with its defaults, in core units', () => {
  const image = 'projects/debian-cloud/global/images/family/debian-12';
  expect(read({ gcp: { project: 'vision-prod', image, endpoint: 'https://compute.example.com/' } }).gcp).toEqual({
    ...{ project: 'vision-prod', credentialsSecretRef: null, groups: [], template: null, image },
    ...{ diskBytes: 100 * 1024 ** 3, diskType: 'pd-balanced', network: 'global/networks/default', subnetwork: null },
    ...{ publicAddress: false, serviceAccount: null, metadata: {}, acceleratorType: null, acceleratorCount: 1 },
    ...{ readyLabel: false, endpoint: 'https://compute.example.com' },
  });
});

test('spec.azure with its defaults', () => {
  const subscription = '11111111-2222-3333-4444-555555555555';
  const scaleSets = [{ name: 'gpu', instanceType: 'Standard_D4s_v5' }];
  expect(read({ azure: { subscription, resourceGroup: 'inference', scaleSets } }).azure).toEqual({
    ...{ subscription, resourceGroup: 'inference', credentialsSecretRef: null, flexible: null, readyTag: false },
    scaleSets: [{ name: 'gpu', zone: '*', instanceType: 'Standard_D4s_v5', capacityType: 'on-demand' }],
    ...{ endpoint: 'https://management.azure.com', authority: 'https://login.microsoftonline.com' },
  });
});

test.each([
  ['gcp: { project: vision-prod }', 'machines come from one of groups, template and image; there is none of them'],
  ['gcp: { project: vision-prod, image: a/b, template: global/instanceTemplates/t }', 'there are template and image'],
  ['gcp: { project: vision-prod, template: t }', 'must be global/instanceTemplates/NAME'],
  ['gcp: { project: V, image: a/b }', 'spec.gcp.project "V" is not the id of a project'],
  ['gcp: { project: vision-prod, image: a/b, endpoint: "http://compute.example.com" }', 'must be an https address'],
  ['gcp: { project: vision-prod, image: a/b, endpoint: "http://127.0.0.1.example.com" }', 'must be an https address'],
  [
    'gcp: { project: vision-prod, groups: [{ name: a, zone: z, instanceType: t }, { name: b, zone: z, instanceType: t }] }',
    'two groups have t on-demand in z',
  ],
  [
    'azure: { subscription: a, resourceGroup: b, scaleSets: [{ name: c, instanceType: d }] }',
    'is not the id of a subscription',
  ],
  [
    'azure: { subscription: 11111111-2222-3333-4444-555555555555, resourceGroup: b }',
    'machines come from one of scaleSets and flexible; there is none of them',
  ],
])('%s is refused', (spec, message) => {
  expect(problems(spec)).toContain(message);
});

test('an address on this machine needs no TLS', () => {
  expect(problems('gcp: { project: vision-prod, image: a/b, endpoint: "http://127.0.0.1:8080" }')).toBe('');
});
