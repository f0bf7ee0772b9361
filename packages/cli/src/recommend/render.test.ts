import type { ClassRecommendation } from '@ebb/client';
import { parseDocuments } from '@ebb/documents';
import { expect, it } from 'vitest';
import { colorsFor } from '../text/colors.ts';
import type { PricedRecommendation } from './askMachines.ts';
import type { ClassMachines } from './machines.ts';
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
  applied: null,
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
  applied: null,
  confidence: { samples: 0, historyMs: 0, enough: false, sentence: 'Nothing has been measured yet.' },
  reasons: [{ code: 'sizing-no-history', sentence: 'The cpu of large has not been measured yet.' }],
};

function lines(...classes: ClassRecommendation[]): string[] {
  return shown({ classes });
}
function shown(change: Partial<PricedRecommendation>): string[] {
  const workload = 'local/default/web';
  const recommendation = { workload, atMs: 0, apply: 'never' as const, classes: [], machines: null, currency: 'USD' };
  return recommendationLines({ ...recommendation, ...change }, colorsFor(false), 100);
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
    '  --cloud NAME --region NAME show which machines that takes.',
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
  expect(
    lines(unknown)
      .filter((line) => !line.includes('--cloud'))
      .slice(-5),
  ).toEqual([
    '  why',
    '    Nothing has been measured yet.',
    '',
    '',
    '  Nothing to paste yet: send it requests, and ask again when it has run for a while.',
  ]);
  const some = { ...small, suggested: null, confidence: { ...small.confidence, enough: false } };
  expect(lines(some).at(-1)).toBe('  Nothing to paste yet: ask again when it has run for an hour.');
  expect(lines(some).join('\n')).toContain('too early to say');
});

it('shows the machines for it, now and as recommended, or why there are none', () => {
  const node = {
    count: 2,
    instanceType: 'm7i.large',
    capacityType: 'on-demand',
    pricePerHourMicro: 100_800,
    replicas: 3,
  };
  const machines: ClassMachines[] = [
    {
      class: 'small',
      replicas: 6,
      now: { pricePerHourMicro: 201_600, perReplicaMicro: 33_600, nodes: [node] },
      suggested: {
        pricePerHourMicro: 30_000,
        perReplicaMicro: 5000,
        nodes: [{ ...node, count: 1, instanceType: 't4g.medium', capacityType: 'spot', replicas: 6 }],
      },
    },
    { class: 'large', replicas: 6, now: { problem: 'fits no machine' }, suggested: null },
  ];
  const found = shown({ classes: [small, unknown], machines });
  const at = found.indexOf('  the cheapest machines for 6 replicas');
  expect(found.slice(at + 1, at + 5)).toEqual([
    '  CLASS  REQUESTS     MACHINES                          AN HOUR  A REPLICA',
    '  small  now          2 x m7i.large (3 replicas each)   $0.2016    $0.0336',
    '         recommended  1 x t4g.medium spot (6 replicas)    $0.03     $0.005',
    '  large  now          fits no machine                         -          -',
  ]);
});

it('says what the next roll-out takes, what the latest took, and counts from that', () => {
  const applied = {
    ...{ revision: '1', atMs: 0, requests: amounts(350, 237), limits: {} },
    ...{ documentRequests: amounts(1000, 64), documentLimits: {} },
  };
  const found = shown({ apply: 'nextRollout', classes: [{ ...small, applied }] });
  expect(found).toContain('  small asks for 350m and 237 MiB since its latest roll-out.');
  expect(found).toContain('  The next roll-out takes what is suggested by then; nothing is restarted for it.');
  expect(found[2]).toMatch(/small +CPU +350m +350m .*within its bounds/);
  expect(shown({ classes: [small] }).join()).not.toContain('roll-out');
});
