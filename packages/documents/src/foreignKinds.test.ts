import { describe, expect, test } from 'vitest';
import { parseDocuments } from './parse/parseDocuments.ts';

const scaledObject = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: web }
spec:
  scaleTargetRef: { name: web }
  triggers: [{ type: cron, metadata: {} }]
`;
const foreign = (apiVersion: string, kind: string, name = 'web') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\n`;

const read = (text: string, allowForeign?: boolean) =>
  parseDocuments(text, { file: 'f.yaml', ...(allowForeign === undefined ? {} : { allowForeign }) });

describe('documents of other systems', () => {
  test('are errors, so that nothing of the file is applied', () => {
    const { documents, problems } = read(`${foreign('apps/v1', 'Deployment')}---\n${scaledObject}`);
    expect(documents.map(({ kind }) => kind)).toEqual(['ScaledObject']);
    expect(problems).toMatchObject([{ severity: 'error', code: 'foreign-kind', line: 2 }]);
  });

  test('are left aside with a warning where that is asked for', () => {
    const text = [foreign('apps/v1', 'Deployment'), scaledObject, foreign('v1', 'Service')].join('---\n');
    const { documents, problems } = read(text, true);
    expect(documents.map(({ kind }) => kind)).toEqual(['ScaledObject']);
    expect(problems.map(({ severity, code, line, message }) => [severity, code, line, message])).toEqual([
      [
        'warning',
        'kind-not-used',
        2,
        'Deployment "web" is left aside: Ebb runs processes from Workload documents; a ScaledObject whose scaleTargetRef names it needs a Workload named "web"',
      ],
      [
        'warning',
        'kind-not-used',
        13,
        'Service "web" is left aside: Ebb\'s gateway sends requests to a Workload\'s replicas without one',
      ],
    ]);
  });

  test.each([
    ['v1', 'Namespace'],
    ['batch/v1', 'Job'],
    ['batch/v1', 'CronJob'],
    ['apps/v1', 'StatefulSet'],
    ['eventing.keda.sh/v1alpha1', 'CloudEventSource'],
    ['monitoring.coreos.com/v1', 'ServiceMonitor'],
    ['karpenter.sh/v1', 'NodePool'],
    ['v1', 'PersistentVolumeClaim'],
  ])('%s %s', (apiVersion, kind) => {
    expect(read(foreign(apiVersion, kind), true).problems).toMatchObject([
      { severity: 'warning', code: 'kind-not-used', message: expect.stringMatching(`^${kind} "web" is left aside: `) },
    ]);
    expect(read(foreign(apiVersion, kind)).problems).toMatchObject([{ severity: 'error', code: 'foreign-kind' }]);
  });

  test('a mistake in our own is an error all the same', () => {
    for (const text of [
      foreign('keda.sh/v1alpha1', 'ScaledObjekt'),
      foreign('example.com/v1', 'Thing'),
      foreign('keda.sh/v1', 'ScaledObject'),
    ]) {
      expect(read(text, true).problems).toMatchObject([{ severity: 'error' }]);
    }
  });

  test('within a List too', () => {
    const items = [foreign('v1', 'Service'), scaledObject].map((text) => `- ${text.trim().replaceAll('\n', '\n  ')}\n`);
    const { documents, problems } = read(`apiVersion: v1\nkind: List\nitems:\n${items.join('')}`, true);
    expect(documents).toHaveLength(1);
    expect(problems).toMatchObject([{ severity: 'warning', path: 'items[0].kind' }]);
  });
});
