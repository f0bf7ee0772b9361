import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AnyScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { readSettings } from '../contract/readSettings.ts';
import type { InsideView, SourceReading } from '../contract/source.ts';
import { readOnce, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger } from '../runtime/openTrigger.ts';
import { http } from './http.ts';
import { kubernetesMetrics } from './kubernetesMetrics.ts';
import { kubernetesWorkload } from './kubernetesWorkload.ts';
import { fitsLabels, parseLabelSelector } from './labelSelector.ts';
import { cpu, memory } from './resourceMetrics.ts';

function view(changes: Partial<InsideView> = {}): InsideView {
  return { replicas: () => 0, requests: () => null, watch: () => () => {}, ...changes };
}
function open(definition: AnyScaler, metadata: Record<string, string>, inside: InsideView) {
  const context = testContext({ inside, object: { namespace: 'shop', name: 'worker', kind: 'ScaledObject' } });
  const source = openTrigger(definition, { metadata, auth: {}, env: {} }, context);
  return { source, read: () => readOnce(source, context) };
}
function problems(definition: AnyScaler, metadata: Record<string, string>): string[] {
  const written = { metadata, auth: {} };
  const { settings, problems } = readSettings(definition.parameters, { ...written, env: null });
  return [...problems, ...(problems.length === 0 ? (definition.check?.(settings, written) ?? []) : [])].map(
    ({ message }) => message,
  );
}

describe('kubernetes-workload', () => {
  const workloads: { labels: Record<string, string>; replicas: number }[] = [
    { labels: { app: 'web', tier: 'front' }, replicas: 3 },
    { labels: { app: 'web', tier: 'back' }, replicas: 2 },
    { labels: { app: 'api' }, replicas: 7 },
  ];
  const inside = view({
    replicas(selector) {
      const requirements = parseLabelSelector(selector);
      return workloads.reduce(
        (sum, { labels, replicas }) => sum + (fitsLabels(requirements, labels) ? replicas : 0),
        0,
      );
    },
  });

  it.each([
    ['app=web', 5],
    ['app in (web, api), !tier', 7],
    ['tier!=front', 9],
    ['app=none', 0],
  ])('counts the replicas of %s', async (podSelector, value) => {
    const { read } = open(kubernetesWorkload, { podSelector, value: '1' }, inside);
    expect(await read()).toEqual({ value, active: value > 0 });
  });

  it('is active strictly above the activation value', async () => {
    const active = async (activationValue: string) =>
      (await open(kubernetesWorkload, { podSelector: 'app=web', value: '1', activationValue }, inside).read()).active;
    expect([await active('4'), await active('5')]).toEqual([true, false]);
  });

  it('says what is wrong with its settings', () => {
    expect(problems(kubernetesWorkload, { podSelector: 'app=web', value: '2' })).toEqual([]);
    expect(problems(kubernetesWorkload, { podSelector: 'app in web', value: '2' })[0]).toContain('expected ( after in');
    expect(problems(kubernetesWorkload, { podSelector: 'app=web', value: '0' })[0]).toContain('more than 0');
    expect(problems(kubernetesWorkload, { value: '1' })[0]).toContain('podSelector is missing');
    const grouped = { podSelector: 'app=web', value: '2', groupByNode: 'true' };
    expect(problems(kubernetesWorkload, grouped)).toEqual([
      'groupByNode is not followed: on one machine each replica counts',
    ]);
    // A warning stops nothing.
    expect(() => open(kubernetesWorkload, grouped, inside)).not.toThrow();
  });
});

describe('http', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function gateway() {
    const listeners = new Set<() => void>();
    const counts = { concurrency: 0, requestRate: 0 };
    const asked: [string, number][] = [];
    const inside = view({
      requests(workload, windowMs) {
        asked.push([workload, windowMs]);
        return workload === 'none' ? null : { ...counts };
      },
      watch(workload, listener) {
        expect(workload).toBe('worker');
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    const change = (changes: Partial<typeof counts>) => {
      Object.assign(counts, changes);
      for (const listener of listeners) listener();
    };
    return { inside, counts, asked, change, listeners };
  }

  it('reads either metric over its window, of its own workload or another', async () => {
    const { inside, asked, counts } = gateway();
    Object.assign(counts, { concurrency: 12.5, requestRate: 3 });
    expect(await open(http, {}, inside).read()).toEqual({ value: 12.5, active: true });
    const metadata = { scalingMetric: 'requestRate', window: '10', workload: 'other', activationTargetValue: '3' };
    expect(await open(http, metadata, inside).read()).toEqual({ value: 3, active: false });
    expect(asked).toEqual([
      ['worker', 60_000],
      ['other', 10_000],
    ]);
  });

  it('says that the workload is not there', async () => {
    const { inside } = gateway();
    await expect(open(http, { workload: 'none' }, inside).read()).rejects.toMatchObject({
      code: 'not-found',
      message: 'the gateway knows no workload none in shop',
    });
  });

  it('tells a change at once, a burst of them twice, and the rest at its pace', () => {
    const { inside, change, counts, listeners } = gateway();
    const told: (SourceReading | Error | null)[] = [];
    const stop = open(http, {}, inside).source.watch?.((news) => told.push(news), { intervalMs: 1000 });
    change({ concurrency: 1 });
    expect(told).toEqual([{ value: 1, active: true }]);
    for (let concurrency = 2; concurrency <= 500; concurrency++) change({ concurrency });
    expect(told).toHaveLength(1);
    vi.advanceTimersByTime(20);
    expect(told.slice(1)).toEqual([{ value: 500, active: true }]);
    counts.concurrency = 0;
    vi.advanceTimersByTime(1000);
    expect(told.slice(2)).toEqual([{ value: 0, active: false }]);
    vi.advanceTimersByTime(3000);
    expect(told).toHaveLength(6);
    stop?.();
    expect(listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('refuses settings out of bounds', () => {
    expect(problems(http, {})).toEqual([]);
    expect(problems(http, { targetValue: '0' })).toHaveLength(1);
    expect(problems(http, { window: '0' })).toHaveLength(1);
    expect(problems(http, { scalingMetric: 'latency' })[0]).toContain('one of concurrency, requestRate');
  });
});

describe('cpu and memory', () => {
  it.each([
    [cpu, '70', 70],
    [cpu, '500m', 0.5],
    [memory, '80', 80],
    [memory, '512Mi', 536_870_912],
  ])('%# takes %s', (definition, value, target) => {
    expect(problems(definition, { value })).toEqual([]);
    const { settings } = readSettings(definition.parameters, { metadata: { value }, auth: {}, env: {} });
    expect(definition.target(settings)).toEqual({ target, activationTarget: 0 });
  });

  it.each([
    [{}, 'value is missing'],
    [{ value: '0' }, 'more than 0'],
    [{ value: 'much' }, 'found "much"'],
    [{ value: '-5' }, 'more than 0'],
    [{ value: '70', type: 'Utilization' }, 'write metricType: Utilization beside it'],
  ])('%j is refused', (metadata, said) => {
    for (const definition of [cpu, memory]) expect(problems(definition, { ...metadata }).join()).toContain(said);
  });

  it('have nothing to open', () => {
    expect(() => open(cpu, { value: '70' }, view())).toThrow(SourceError);
    expect(() => open(memory, { value: '70' }, view())).toThrow('measured of each replica');
  });
});

describe('kubernetes-metrics', () => {
  const settings = { metricName: 'queue', targetValue: '5' };

  it('asks the cluster, and is never below zero', async () => {
    const asked: unknown[] = [];
    const inside = view({
      clusterMetric: async (question) => {
        asked.push(question);
        return asked.length === 1 ? 12.5 : -1;
      },
    });
    const { read } = open(
      kubernetesMetrics,
      { ...settings, api: 'custom', object: 'pods', podSelector: 'app=web' },
      inside,
    );
    expect(await read()).toEqual({ value: 12.5, active: true });
    expect(await read()).toEqual({ value: 0, active: false });
    const question = { namespace: 'shop', metric: 'queue', metricSelector: '', object: 'pods', podSelector: 'app=web' };
    expect(asked).toEqual([question, question]);
  });

  it('says where there is no cluster', async () => {
    await expect(open(kubernetesMetrics, settings, view()).read()).rejects.toThrow('read by `ebb operator`');
  });

  it.each([
    [{}, []],
    [{ object: 'pods' }, ['goes with api: custom', 'needs a podSelector']],
    [{ api: 'custom' }, ['needs an object']],
    [{ api: 'custom', object: 'services/web' }, []],
    [{ api: 'custom', object: 'Services web' }, ['found "Services web"']],
    [{ api: 'custom', object: 'services/web', podSelector: 'app=web' }, ['goes with the object pods']],
    [{ metricSelector: 'a in b' }, ['metricSelector: ']],
  ])('checks its settings %j', (more, expected) => {
    const found = problems(kubernetesMetrics, { ...settings, ...more });
    expect(found).toEqual(expected.map((part) => expect.stringContaining(part)));
  });
});
