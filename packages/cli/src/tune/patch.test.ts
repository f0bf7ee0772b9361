import type { Edit } from '@ebb/simulator';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { diffLines, patched } from './patch.ts';

const before = `# The chat model.
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata:
  name: chat   # as the route has it
spec:
  classes:
    - command: [serve]
  scaling:
    keepAlive: 5m    # long enough?
    windows: { stable: 60s }
    behavior:
      scaleUp:
        stabilizationWindow: 10s # up
  # Behind the scaling.
  serving:
    drain: 60s
---
kind: ScaledObject
spec:
  triggers:
  - type: x
    metadata: {targetValue: "8"}
`;
const edit = (path: string, value: unknown, kind: Edit['kind'] = 'Workload'): Edit => ({
  kind,
  path: path.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  value,
});
const source = { name: 'web.yaml', path: null, text: before };
const after = (...edits: Edit[]) =>
  patched([{ ...source, name: 'other.yaml', text: 'kind: Secret\n' }, source], edits)?.text ?? '';
const values = (text: string) => parseAllDocuments(text).map((document) => document.toJS());

test('a value is replaced where it stands, and nothing else moves', () => {
  const text = after(
    edit('spec.scaling.keepAlive', '90s'),
    edit('spec.triggers.0.metadata.targetValue', '4', 'ScaledObject'),
  );
  expect(text).toBe(before.replace('5m ', '90s ').replace('"8"', '"4"'));
});

test('new fields go behind the last of their map, and every comment stays where it was', () => {
  const text = after(
    edit('spec.scaling.behavior.scaleDown.stabilizationWindow', '2m'),
    edit('spec.scaling.minReplicas', 1),
  );
  expect(text).toBe(
    before.replace('10s # up\n', '10s # up\n      scaleDown:\n        stabilizationWindow: 2m\n    minReplicas: 1\n'),
  );
});

test.each([
  ['a field of a map in braces', edit('spec.scaling.windows.panic', '3s')],
  ['a whole map', edit('spec.scaling.windows', { stable: '2s', panic: '1s' })],
  ['a list that was not there', edit('spec.scaling.triggers', [{ type: 'concurrency', target: 8 }])],
  ['a deep field that was not there', edit('spec.advanced.a.b', 5, 'ScaledObject')],
])('%s: the document says what was asked for, with its comments', (_, one) => {
  const text = after(one);
  const number = one.kind === 'Workload' ? 0 : 1;
  const [was, is] = [values(before)[number], values(text)[number]];
  const found = one.path.reduce((at, key) => at?.[key], is);
  expect(found).toEqual(one.value);
  for (const comment of before.match(/# .*/g) ?? []) expect(text.split(comment)).toHaveLength(2);
  expect(values(text)).toHaveLength(2);
  expect(values(text)[1 - number]).toEqual(values(before)[1 - number]);
  expect(was).not.toEqual(is);
});

test('no edits, no patch; an alias that is shared is not changed behind the back of others', () => {
  expect(patched([source], [])).toBeNull();
  const shared = { ...source, text: 'kind: Workload\na: &one {b: 1}\nspec: *one\n' };
  expect(() => patched([shared], [edit('spec.b', 2)])).toThrow(/cannot be changed in place/);
});

test('a diff has two lines around each change', () => {
  expect(diffLines('a\nb\nc\nd\ne\nf\ng', 'a\nb\nc\nD\ne\nf\ng', 'x')).toEqual([
    '--- x',
    '+++ x, tuned',
    '@@',
    ' b',
    ' c',
    '-d',
    '+D',
    ' e',
    ' f',
  ]);
});
