import { parseDocuments } from '@ebb/documents';
import { expect, it } from 'vitest';
import { decisionProblems } from './documentProblems.ts';

const scaledObject = (formula: string, threshold: string) => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: consumer }
spec:
  scaleTargetRef: { name: consumer }
  triggers:
    - type: prometheus
      name: rate
      metadata: { serverAddress: "http://p", query: up${threshold} }
  advanced:
    scalingModifiers:
      formula: "${formula}"
      target: "5"
`;

function problemsOf(text: string): string[] {
  const { documents } = parseDocuments(text, { file: 'so.yaml' });
  return documents.flatMap(decisionProblems).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

it('tells a formula that does not compile, at its place', () => {
  expect(problemsOf(scaledObject('rate * 2', ', threshold: "5"'))).toEqual([]);
  const found = problemsOf(scaledObject('rat * 2', ', threshold: "5"'));
  expect(found).toEqual([expect.stringMatching(/^12:16 unknown name "rat" \(character 1 of the formula\)$/)]);
});
