import { expect, test } from 'vitest';
import { problemText } from '../problem.ts';
import { checkBatch } from './checkBatch.ts';
import { parseDocuments } from './parseDocuments.ts';

const workload = (name: string, rest = '', namespace = 'default') =>
  `apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec:\n  classes: [{ command: [a] }]\n  ${rest}\n`;

function check(...files: string[]): string[] {
  const documents = files.flatMap((text, index) => {
    const parsed = parseDocuments(text, { file: `${index}.yaml` });
    expect(parsed.problems).toEqual([]);
    return parsed.documents;
  });
  return checkBatch(documents).map(problemText);
}

const route = (fields: string) => `serving: { routes: [{ ${fields} }] }`;

test('the same object twice, in two files', () => {
  expect(check(workload('a'), `# moved\n${workload('a')}`)).toEqual([
    '1.yaml:4:19: error: Workload local/default/a is there twice; the other one is at 0.yaml:3:19',
  ]);
});

test('one name in two namespaces, clusters or kinds is no conflict', () => {
  const cluster = 'apiVersion: ebb.dev/v1alpha1\nkind: Cluster\nmetadata: { name: a }\n';
  expect(check(workload('a'), workload('a', '', 'b'), workload('a', 'cluster: c'), cluster)).toEqual([]);
});

test('one route for two workloads, however it is written', () => {
  expect(
    check(
      `${workload('a', route('host: X.example, pathPrefix: /up/'))}---\n${workload('b', route('pathPrefix: /up, host: x.example'))}`,
    ),
  ).toEqual([
    '0.yaml:13:23: error: the route host x.example, path /up already belongs to the workload "a"; the other one is at 0.yaml:3:19',
  ]);
});

test('a default route is a route', () => {
  expect(check(workload('a'), workload('b', route('pathPrefix: /a')))).toEqual([
    '1.yaml:6:23: error: the route path /a already belongs to the workload "a"; the other one is at 0.yaml:3:19',
  ]);
  expect(check(workload('b', route('pathPrefix: /a')), workload('a'))).toEqual([
    '1.yaml:3:19: error: the route path /a already belongs to the workload "b"; the other one is at 0.yaml:3:19',
  ]);
});

test('routes that differ in a header or model go side by side', () => {
  expect(
    check(
      workload('a', route('model: m1')),
      workload('b', route('model: m2')),
      workload('c', route('headers: { x: m1 }')),
    ),
  ).toEqual([]);
});
