import type { ClassRecommendation, WorkloadRecommendation } from '@ebb/client';
import { parseDocuments } from '@ebb/documents';
import { expect, it } from 'vitest';
import { colorsFor } from '../text/colors.ts';
import { recommendationLines } from './render.ts';

const mebibyte = 1024 * 1024;
const amounts = (cpuMilli: number, mebibytes: number) => ({ cpuMilli, memoryBytes: mebibytes * mebibyte });

const small: ClassRecommendation = {
  class: 'small',
  requests: amounts(1000, 64),
  limits: { cpuMilli: null, memoryBytes: 128 * mebibyte },
  amounts: {
    lowerBound: amounts(349, 236),
    target: amounts(350, 237),
    upperBound: amounts(525, 355),
    uncapped: amounts(350, 237),
  },
  suggested: { requests: amounts(350, 237), limits: { memoryBytes: 474 * mebibyte } },
  confidence: { samples: 5820, historyMs: 172_800_000, enough: true, sentence: '5820 samples over 2 days: much.' },
  reasons: [
    { code: 'sizing-estimate', sentence: 'small uses at most 305m of cpu 90 % of the time; with 15 % margin 350m.' },
    { code: 'sizing-confidence', sentence: 'The bounds of small rest on 5820 samples.' },
  ],
};
const unknown: ClassRecommendation = {
  class: 'large',
  requests: amounts(0, 0),
  limits: { cpuMilli: null, memoryBytes: null },
  amounts: null,
  suggested: null,
  confidence: { samples: 0, historyMs: 0, enough: false, sentence: 'Nothing has been measured yet.' },
  reasons: [{ code: 'sizing-no-history', sentence: 'The cpu of large has not been measured yet.' }],
};

function lines(...classes: ClassRecommendation[]): string[] {
  const recommendation: WorkloadRecommendation = { workload: 'local/default/web', atMs: 0, classes };
  return recommendationLines(recommendation, colorsFor(false), 100);
}

it('shows request, target, bounds and what to do, class by class, and why', () => {
  expect(lines(small, unknown)).toEqual([
    'local/default/web',
    '  CLASS  RESOURCE  REQUEST NOW   TARGET  BOUNDS              CHANGE',
    '  small  CPU                 1     350m  349m to 525m        lower it',
    '         memory         64 MiB  237 MiB  236 MiB to 355 MiB  raise it',
    '  large  CPU              none        -  -                   too early to say',
    '         memory           none        -  -                   too early to say',
    '',
    '  why',
    '  small',
    '    5820 samples over 2 days: much.',
    '    small uses at most 305m of cpu 90 % of the time; with 15 % margin 350m.',
    '  large',
    '    Nothing has been measured yet.',
    '',
    '  to paste into the document',
    '  spec:',
    '    classes:',
    '      - name: small',
    '        resources:',
    '          requests:',
    '            cpu: 350m',
    '            memory: 237Mi',
    '          limits:',
    '            memory: 474Mi',
  ]);
});

it('what is to be pasted is a valid part of a document that says just that', () => {
  const all = lines(small);
  const patch = all.slice(all.indexOf('  spec:')).map((line) => line.slice(2));
  const text = [
    'apiVersion: ebb.dev/v1alpha1',
    'kind: Workload',
    'metadata: { name: web }',
    ...patch.flatMap((line) => (line.includes('- name:') ? [line, '      command: [serve]'] : [line])),
  ].join('\n');
  const { problems, documents } = parseDocuments(text, { file: 'web.yaml' });
  expect(problems).toEqual([]);
  expect(documents[0]?.document).toMatchObject({
    spec: { classes: [{ resources: { requests: { cpu: '350m', memory: '237Mi' }, limits: { memory: '474Mi' } } }] },
  });
});

it('has plain words for too little data, and nothing to paste', () => {
  expect(lines(unknown).slice(-4)).toEqual([
    '  why',
    '    Nothing has been measured yet.',
    '',
    '  Nothing to paste yet: send it requests, and ask again when it has run for a while.',
  ]);
  const some = { ...small, suggested: null, confidence: { ...small.confidence, enough: false } };
  expect(lines(some).at(-1)).toBe('  Nothing to paste yet: ask again when it has run for an hour.');
  expect(lines(some).join('\n')).toContain('too early to say');
});
