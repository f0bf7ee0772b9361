import { describe, expect, test } from 'vitest';
import { problemText } from '../problem.ts';
import { kindNames, kindOf } from '../kinds.ts';
import { parseDocuments } from './parseDocuments.ts';

const problemsOf = (text: string) => parseDocuments(text, { file: 'p.yaml' }).problems.map(problemText);
const errorsOf = (text: string) => problemsOf(text).filter((line) => line.includes(': error: '));
const head = 'apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: a\n';

describe('one problem in the place of a heap of them', () => {
  test.each([
    [
      "spec's children at column 0",
      `${head}spec:\nscaleTargetRef:\n  name: web\nminReplicaCount: 0\ntriggers:\n- type: kafka\n  metadata:\n    topic: a\n`,
      'p.yaml:6:1: error: the indentation is lost: `scaleTargetRef`, `minReplicaCount`, `triggers` belong under `spec`',
    ],
    [
      'everything at column 0, so that keys are there twice',
      'apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\nname: a\nspec:\nscaleTargetRef:\nname: web\ntriggers:\n- type: kafka\nmetadata:\ntopic: a\n',
      'p.yaml:4:1: error: the indentation is lost: `name` belongs under `metadata`; `scaleTargetRef`, `triggers` belong under `spec`',
    ],
    [
      'one level further down',
      `${head}spec:\n  scaleTargetRef:\n  name: web\n  triggers: [{ type: a, metadata: {} }]\n`,
      'p.yaml:7:3: error: the indentation is lost: `name` belongs under `spec.scaleTargetRef`',
    ],
    [
      'the metadata of a trigger',
      `${head}spec:\n  scaleTargetRef: { name: web }\n  triggers:\n  - type: kafka\n    metadata:\n    topic: a\n    lagThreshold: "5"\n`,
      'p.yaml:10:5: error: the indentation is lost: `topic`, `lagThreshold` belong under `spec.triggers[0].metadata`',
    ],
    [
      'what belongs to the last element of a list',
      `${head}spec:\n  scaleTargetRef: { name: web }\n  triggers:\n  - type: cron\n    metadata: {}\n  - type: kafka\n  metadata:\n    topic: a\n`,
      'p.yaml:11:3: error: the indentation is lost: `metadata` belongs under `spec.triggers[1]`',
    ],
    [
      'elements left of their list',
      `${head}spec:\n  scaleTargetRef:\n    name: web\n  triggers:\n- type: kafka\n  metadata:\n    topic: a\n`,
      'p.yaml:9:1: error: the indentation is lost: the elements of `triggers` stand further left than `triggers`',
    ],
    [
      'a key below a dash',
      `${head}spec:\n  scaleTargetRef:\n    name: web\n  triggers:\n    - type: kafka\n    metadata:\n      topic: a\n`,
      'p.yaml:10:5: error: the indentation is lost: `metadata` stands below the dash of the element it belongs to, and not behind it',
    ],
    [
      'another kind',
      'apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata:\n  name: a\nspec:\nclasses:\n  - command: [a]\nscaling:\n  maxReplicas: 3\n',
      'p.yaml:6:1: error: the indentation is lost: `classes`, `scaling` belong under `spec`',
    ],
    [
      'labels',
      'apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata:\n  name: a\n  labels:\n  team: blue\nspec: { classes: [{ command: [a] }] }\n',
      'p.yaml:6:3: error: the indentation is lost: `team` belongs under `metadata.labels`',
    ],
    [
      'an older version with a schema of its own',
      'apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: a\nspec:\nmaxReplicas: 3\nscaleTargetRef: { kind: Deployment, name: a }\n',
      'p.yaml:6:1: error: the indentation is lost: `maxReplicas`, `scaleTargetRef` belong under `spec`',
    ],
    [
      'an item of a List',
      'kind: List\nitems:\n- apiVersion: ebb.dev/v1alpha1\n  kind: Workload\n  metadata: { name: a }\n  spec:\n  classes: [{ command: [a] }]\n',
      'p.yaml:7:3: error: the indentation is lost: `classes` belongs under `items[0].spec`',
    ],
  ])('%s', (_name, text, expected) => {
    expect(problemsOf(text)).toEqual([expected]);
  });

  test('the others are named as related places', () => {
    const text = `${head}spec:\nscaleTargetRef:\n  name: web\ntriggers: []\n`;
    expect(parseDocuments(text, { file: 'p.yaml' }).problems).toMatchObject([
      { code: 'lost-indentation', path: 'scaleTargetRef', related: [{ path: 'triggers', line: 8, column: 1 }] },
    ]);
  });
});

describe('every kind is known by its schema', () => {
  test.each(kindNames)('%s', (name) => {
    const { example } = kindOf(name);
    const isIndented = /^spec:\n/m.test(example);
    const [lines = ''] = /(?<=^spec:\n)(?: .*\n)+/m.exec(example) ?? [];
    const text = example.replace(lines, lines.replaceAll(/^ {2}/gm, ''));
    const found = errorsOf(text);
    if (isIndented)
      expect(found).toEqual([expect.stringMatching(/: the indentation is lost: .* belongs? under `spec`$/)]);
    else expect(found).toEqual([]);
  });
});

describe('what only looks like it', () => {
  test.each([
    ['a field in a wrong place', 'minReplicas: 1\nspec: { classes: [{ command: [a] }] }', 'it belongs in spec.scaling'],
    ['a setting of an element', 'spec: { classes: [{ command: [a] }], port: 80 }', 'unknown field "port"'],
    [
      'a misspelt field after a map without a value',
      'spec:\n  classes:\n  - command: [a]\n    env:\n    prot: 80\n',
      'did you mean "port"?',
    ],
    ['a section without a value', 'spec: { classes: [{ command: [a] }], scaling: }', 'has no value'],
  ])('%s', (_name, rest, expected) => {
    const found = problemsOf(`apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: a }\n${rest}\n`);
    expect(found.join('\n')).toContain(expected);
    expect(found.join('\n')).not.toContain('indentation');
  });

  test.each(['a:\n  b:\n- c\n- d: "x\n', 'a:\n- b:\n- c: [\n', 'a: |\n  - x\n  y: z\nb: @\n', '# - a\n  b: {\n'])(
    'other mistakes in the syntax: %j',
    (text) => {
      expect(problemsOf(text).length).toBeGreaterThan(0);
    },
  );
});
