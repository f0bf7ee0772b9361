import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { colorsFor } from '../text/colors.ts';
import { glyphsFor } from '../text/glyphs.ts';
import { stripStyles, textWidth } from '../text/width.ts';
import { renderLive } from './renderLive.ts';
import { atMs, idleStatus, replicaStatus, systemStatus, workloadStatus } from './status.fixture.ts';

const ramp = Array.from({ length: 60 }, (_, second) => Math.max(0, Math.floor((second - 30) / 8)));
const curves = new Map([
  ['local/default/upscaler', { replicas: ramp, demand: ramp.map((value, second) => (second % 7) * value) }],
]);
const unicode = glyphsFor({});

function draw(
  width: number,
  height: number,
  workloads = [workloadStatus(), idleStatus('hello')],
  changes: { colors?: boolean; glyphs?: typeof unicode } = {},
) {
  const model = { status: systemStatus(workloads), curves, nowMs: atMs, footer: 'Ctrl-C stops everything' };
  return renderLive(model, {
    width,
    height,
    colors: colorsFor(changes.colors ?? false),
    glyphs: changes.glyphs ?? unicode,
  });
}

test('an 80x24 terminal', () => {
  expect(`\n${draw(80, 18).join('\n')}\n`).toMatchSnapshot();
});

test('a 140x40 terminal', () => {
  expect(`\n${draw(140, 34).join('\n')}\n`).toMatchSnapshot();
});

test('a terminal without Unicode', () => {
  const lines = draw(100, 30, undefined, { glyphs: glyphsFor({ LC_ALL: 'C' }) });
  expect(`\n${lines.join('\n')}\n`).toMatchSnapshot();
  // oxlint-disable-next-line no-control-regex -- exactly these are allowed
  expect(lines.join('')).toMatch(/^[\x20-\x7e]*$/);
});

test('a replica that cannot start is told with its reason', () => {
  const failed = workloadStatus({
    replicas: { wanted: 1, starting: 0, ready: 0, draining: 0, failed: 1 },
    replicaList: [replicaStatus({ phase: 'failed', message: 'command not found: nodde' })],
  });
  expect(draw(80, 24, [failed]).join('\n')).toContain('command not found: nodde');
});

test('a starting replica shows the stages it has passed', () => {
  const starting = replicaStatus({
    phase: 'starting',
    coldStart: {
      arrivalToAskUs: 400,
      askToSpawnUs: 3_000,
      spawnToListenUs: null,
      listenToReadyUs: null,
      readyToRouteUs: null,
    },
  });
  expect(draw(80, 24, [workloadStatus({ replicaList: [starting] })]).join('\n')).toContain(
    'spawn 3.0 ms → load … → ready …',
  );
});

test('what a start is expected to take, and the share on time, where there is room', () => {
  const stages = { askToSpawnUs: 3000, spawnToListenUs: null, listenToReadyUs: 600_000, readyToRouteUs: 300 };
  const learned = (starts: number, totalUs: number) => ({ ...stages, starts, totalUs });
  const last = workloadStatus().coldStarts.last;
  const onTime = { withinMs: 5000, requests: 48, late: 3, lastHour: { requests: 4, late: 3 } };
  const drawn = (width: number, coldStarts: Record<string, ReturnType<typeof learned>>) =>
    draw(width, 24, [workloadStatus({ onTime, coldStarts: { count: 3, last, learned: coldStarts } })]).join('\n');
  expect(drawn(140, { default: learned(3, 612_000) })).toContain('   last of 3, 612 ms expected');
  expect(drawn(140, { default: learned(1, 612_000) })).toMatch(/ {3}last of 3$/m);
  expect(drawn(140, { cpu: learned(2, 612_000), gpu: learned(9, 40_000_000) })).toContain(
    ', 612 ms (cpu), 40.0 s (gpu) expected',
  );
  expect(drawn(140, {})).toContain('48 answered   0 failed   93.7% on time');
  const narrow = drawn(80, { default: learned(3, 612_000) });
  expect(narrow).toContain('48 answered   0 failed');
  expect(narrow).not.toMatch(/on time|expected/);
});

test('which class would be the cheapest, or why there is no saying', () => {
  const nothing = {
    costPerHourMicro: {},
    lateShare: {},
    measuredLateShare: 0,
    breakEvenRatePerHour: null,
    confidence: 0,
  };
  const drawn = (name: string | null, because: string) =>
    draw(80, 24, [workloadStatus({ classHint: { class: name, because, ...nothing } })]);
  expect(drawn('gpu', 'gpu would cost 1.10 an hour instead of 1.60 at this load')).toContainEqual(
    '  hint        gpu would cost 1.10 an hour instead of 1.60 at this load',
  );
  expect(drawn(null, 'No hint: \u001b[31mgpu is not known.').join('\n')).toMatch(
    /^ {2}hint {8}No hint: .*gpu is not known\.$/m,
  );
  expect(draw(80, 24).join('\n')).not.toContain('hint');
});

test('what costs without requests is named', () => {
  const condition = {
    type: 'IdleCost',
    reason: 'PaidWithoutRequests',
    message: '5.00 USD without a request since 2026-01-01T00:00:00.000Z; is it still needed?',
    lastTransitionTime: '2026-01-01T01:00:00.000Z',
  };
  const shown = (status: 'True' | 'False') =>
    draw(120, 30, [{ ...workloadStatus(), conditions: [{ ...condition, status }] }]).filter((line) =>
      line.includes('alarm'),
    );
  expect(shown('True').map((line) => line.trim())).toEqual([`alarm       ${condition.message}`]);
  expect(shown('False')).toEqual([]);
});

test('no workloads: says how to bring one', () => {
  expect(draw(80, 24, []).join('\n')).toContain('ebb apply -f FILE');
});

function usedStatus(name: string) {
  return { ...idleStatus(name), coldStarts: { count: 1, last: null } };
}

test('idle workloads give up detail before busy ones', () => {
  const lines = draw(80, 14, [usedStatus('a'), workloadStatus(), usedStatus('b')]).join('\n');
  expect(lines).toContain('cold start');
  expect(lines.match(/^ {2}requests/gm)).toHaveLength(1);
});

test('never more lines or columns than there are, with or without colours, whatever the numbers', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      fc.boolean(),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      (width, height, busy, colors, message) => {
        const workloads = busy.map((isBusy, index) =>
          isBusy
            ? workloadStatus({
                name: `w${index}`,
                replicaList: [replicaStatus({ phase: 'backoff', message })],
              })
            : idleStatus(`idle-${index}`),
        );
        const lines = draw(width, height, workloads, { colors });
        expect(lines.length).toBeLessThanOrEqual(Math.max(1, height));
        for (const line of lines) {
          expect(textWidth(line)).toBeLessThanOrEqual(width);
          expect(stripStyles(line)).not.toMatch(/\p{Cc}/u);
        }
      },
    ),
  );
});
