import { describe, expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';

const read = (text: string) => parseDocuments(text, { file: 'k.yaml' });

const trigger = 'triggers: [{ type: redis, metadata: { listName: a } }]';
const specs = {
  ScaledObject: `{ scaleTargetRef: { name: a }, ${trigger} }`,
  ScaledJob: `{ jobTargetRef: { template: { spec: { containers: [{ name: a, command: [b] }] } } }, ${trigger} }`,
  TriggerAuthentication: '{ secretTargetRef: [{ parameter: host, name: s, key: k }] }',
  ClusterTriggerAuthentication: '{ env: [{ parameter: host, name: HOST }] }',
};

const document = (version: string, kind: string, spec: string) =>
  `apiVersion: ${version}\nkind: ${kind}\nmetadata: { name: a }\nspec: ${spec}\n`;

describe.each(Object.entries(specs))('%s', (kind, spec) => {
  test('of KEDA 2 is read without a word', () => {
    const { documents, problems } = read(document('keda.sh/v1alpha1', kind, spec));
    expect(problems).toEqual([]);
    expect(documents[0]?.kind).toBe(kind);
  });

  test('of KEDA 1 is read as of KEDA 2', () => {
    const { documents, problems } = read(document('keda.k8s.io/v1alpha1', kind, spec));
    expect(problems.map(({ severity, code, line }) => `${severity} ${code} ${line}`)).toEqual([
      'warning older-version 1',
    ]);
    expect(documents.map((each) => [each.kind, each.apiVersion])).toEqual([[kind, 'keda.sh/v1alpha1']]);
    expect(documents[0]?.document).toMatchObject({ apiVersion: 'keda.sh/v1alpha1', kind });
  });

  test.each(['keda.sh/v1', 'keda.sh/v1beta1'])('of %s is refused, with the version to write', (version) => {
    const { documents, problems } = read(document(version, kind, spec));
    expect(documents).toEqual([]);
    expect(problems).toMatchObject([{ code: 'unsupported-version', line: 1, column: 13 }]);
    expect(problems[0]?.message).toBe(
      `there is no ${version}; write keda.sh/v1alpha1, which is the version that KEDA 2 serves`,
    );
  });

  test('of a version that nobody knows names the right one', () => {
    expect(read(document('keda.sh/v2', kind, spec)).problems[0]).toMatchObject({
      message: 'apiVersion has the unknown value "keda.sh/v2"',
      allowed: ['keda.sh/v1alpha1'],
    });
  });
});

test("KEDA 1's names of a target are turned into KEDA 2's, its Jobs into a hint", () => {
  const target = '{ scaleType: deployment, scaleTargetRef: { deploymentName: web, containerName: app }, ';
  const { documents } = read(document('keda.k8s.io/v1alpha1', 'ScaledObject', `${target}${trigger} }`));
  expect(documents[0]?.document).toMatchObject({
    spec: { scaleTargetRef: { name: 'web', envSourceContainerName: 'app' } },
  });
  const jobs = document('keda.k8s.io/v1alpha1', 'ScaledObject', `{ scaleType: job, jobTargetRef: {}, ${trigger} }`);
  expect(read(jobs).problems).toMatchObject([
    {
      severity: 'error',
      code: 'unsupported-version',
      path: 'spec.scaleType',
      message: expect.stringContaining('kind: ScaledJob'),
    },
  ]);
});
