import { describe, expect, it } from 'vitest';
import { parseDocuments } from './parse/parseDocuments.ts';

const written = (metadata: string, tail = '') => `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: hello${metadata} }
spec:
  classes: [{ name: default, command: [./serve] }]
${tail}`;

describe('an object that Ebb gave out', () => {
  it('can be applied again', () => {
    const server = ', cluster: local, resourceVersion: "3", generation: 2, creationTimestamp: 2026-11-23T00:00:00.000Z';
    const { documents, problems } = parseDocuments(written(server, 'status: { held: 1 }'), { file: 'got.yaml' });
    expect(problems).toEqual([]);
    expect(documents[0]?.document).not.toHaveProperty('status');
    expect(documents[0]?.document).toHaveProperty('metadata', { name: 'hello' });
  });

  it('is told from one written by hand, where such a field is a mistake', () => {
    const { problems } = parseDocuments(written('', 'status: { held: 1 }'), { file: 'mine.yaml' });
    expect(problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining('Ebb writes the status by itself'),
    ]);
  });
});
