import { describe, expect, it } from 'vitest';
import { parseGoDuration } from './goDuration.ts';
import { parseKnativeAnnotations } from './knativeAnnotations.ts';
import { defaultKpaSettings, type KpaSettings } from './kpaSettings.ts';

const domain = 'autoscaling.knative.dev/';

describe('annotations', () => {
  it.each<[string, string, Partial<KpaSettings>]>([
    ['metric', 'rps', { metric: 'rps' }],
    ['target', '0.5', { target: 0.5 }],
    ['target-utilization-percentage', '80', { targetUtilization: 0.8 }],
    ['targetUtilizationPercentage', '1', { targetUtilization: 0.01 }],
    ['target-burst-capacity', '-1', { targetBurstCapacity: -1 }],
    ['target-burst-capacity', '0', { targetBurstCapacity: 0 }],
    ['window', '1h', { stableWindowMs: 3_600_000 }],
    ['window', '6s', { stableWindowMs: 6000 }],
    ['panic-window-percentage', '100', { panicWindowPercentage: 100 }],
    ['panic-threshold-percentage', '110', { panicThresholdPercentage: 110 }],
    ['scale-down-delay', '15m', { scaleDownDelayMs: 900_000 }],
    ['scale-to-zero-pod-retention-period', '1m5s', { scaleToZeroPodRetentionPeriodMs: 65_000 }],
    ['initial-scale', '5', { initialScale: 5 }],
    ['activation-scale', '3', { activationScale: 3 }],
    ['minScale', '2', { minScale: 2 }],
    ['max-scale', '7', { maxScale: 7 }],
    ['metric-aggregation-algorithm', 'weighted-exponential', { aggregation: 'weighted-exponential' }],
  ])('%s: %s', (name, value, wanted) => {
    const result = parseKnativeAnnotations({ [domain + name]: value });
    expect(result).toEqual({ settings: { ...defaultKpaSettings, ...wanted }, problems: [], unknown: [] });
  });

  it.each([
    ['metric', 'cpu', 'concurrency or rps'],
    ['target', '0.009', 'a number of at least 0.01'],
    ['target', 'NaN', 'a number of at least 0.01'],
    ['target-utilization-percentage', '0.5', 'a percentage from 1 to 100'],
    ['target-utilization-percentage', '101', 'a percentage from 1 to 100'],
    ['target-burst-capacity', '-2', '-1 (no limit), 0 (never), or a number above 0'],
    ['window', '5s', 'whole seconds from 6s to 1h'],
    ['window', '61m', 'whole seconds from 6s to 1h'],
    ['window', '6500ms', 'whole seconds from 6s to 1h'],
    ['window', '60', 'whole seconds from 6s to 1h'],
    ['panic-window-percentage', '0.9', 'a percentage from 1 to 100'],
    ['panic-threshold-percentage', '109', 'a percentage from 110 to 1000'],
    ['panic-threshold-percentage', '1001', 'a percentage from 110 to 1000'],
    ['scale-down-delay', '-1s', 'whole seconds from 0s to 1h'],
    ['scale-down-delay', '1500ms', 'whole seconds from 0s to 1h'],
    ['scale-to-zero-pod-retention-period', '2h', 'a duration from 0s to 1h'],
    ['activation-scale', '0', 'a whole number from 1 to 2147483647'],
    ['min-scale', '-1', 'a whole number from 0 to 2147483647'],
    ['max-scale', '3000000000', 'a whole number from 0 to 2147483647'],
    ['max-scale', '1.5', 'a whole number from 0 to 2147483647'],
    ['metric-aggregation-algorithm', 'median', 'linear or weighted-exponential'],
    [
      'class',
      'hpa.autoscaling.knative.dev',
      'kpa.autoscaling.knative.dev here; other classes have autoscalers of their own',
    ],
    ['initial-scale', '0', 'a whole number from 1 to 2147483647; 0 needs allow-zero-initial-scale: true'],
  ])('%s: %s is refused', (name, value, allowed) => {
    const key = domain + name;
    const { problems, settings } = parseKnativeAnnotations({ [key]: value });
    expect(problems).toEqual([{ key, value, allowed, message: `${key} is "${value}"; allowed: ${allowed}` }]);
    expect(settings).toEqual(defaultKpaSettings);
  });

  it('refuses a maximum below the minimum', () => {
    const { problems } = parseKnativeAnnotations({ [`${domain}min-scale`]: '5', [`${domain}max-scale`]: '3' });
    expect(problems.map((problem) => problem.allowed)).toEqual(['0 (no maximum) or at least min-scale (5)']);
  });

  it('names annotations that nobody reads', () => {
    const key = `${domain}windwo`;
    expect(parseKnativeAnnotations({ [key]: '60s', 'example.com/window': '1s' }).unknown).toEqual([key]);
  });
});

describe('the ConfigMap', () => {
  it('gives defaults, which annotations overrule', () => {
    const configMap = {
      'container-concurrency-target-percentage': '50',
      'container-concurrency-target-default': '200',
      'stable-window': '120s',
      'max-scale-up-rate': '10',
      'enable-scale-to-zero': 'false',
      'allow-zero-initial-scale': 'true',
      'initial-scale': '0',
      'progress-deadline': '300s',
      'min-scale': '1',
    };
    const { settings, problems } = parseKnativeAnnotations({ [`${domain}window`]: '30s' }, configMap, 5);
    expect(problems).toEqual([]);
    expect(settings).toEqual({
      ...defaultKpaSettings,
      containerConcurrency: 5,
      targetUtilization: 0.5,
      containerConcurrencyTargetDefault: 200,
      stableWindowMs: 30_000,
      maxScaleUpRate: 10,
      enableScaleToZero: false,
      initialScale: 0,
      progressDeadlineMs: 300_000,
      minScale: 1,
    });
  });

  it('may give the target percentage as a share', () => {
    const of = (text: string) =>
      parseKnativeAnnotations({}, { 'container-concurrency-target-percentage': text }).settings.targetUtilization;
    expect([of('0.5'), of('1'), of('1.5'), of('100')]).toEqual([0.5, 1, 0.015, 1]);
  });

  it.each([
    ['max-scale-up-rate', '1'],
    ['max-scale-down-rate', '1.0'],
    ['stable-window', '5s'],
    ['activator-capacity', '0.9'],
    ['scale-to-zero-grace-period', '0s'],
    ['target-burst-capacity', '-0.5'],
    ['initial-scale', '0'],
    ['container-concurrency-target-percentage', '0'],
  ])('%s: %s is refused', (key, value) => {
    const { problems, settings } = parseKnativeAnnotations({}, { [key]: value });
    expect(problems.map((problem) => problem.key)).toEqual([key]);
    expect(settings).toEqual(defaultKpaSettings);
  });

  it('limits the maximum of every revision', () => {
    const configMap = { 'max-scale': '10', 'max-scale-limit': '20' };
    const of = (text: string) => parseKnativeAnnotations({ [`${domain}max-scale`]: text }, configMap);
    expect(parseKnativeAnnotations({}, configMap).settings.maxScale).toBe(10);
    expect(of('20')).toMatchObject({ settings: { maxScale: 20 }, problems: [] });
    expect(of('21').problems).toHaveLength(1);
    expect(of('0').problems).toHaveLength(1);
    expect(parseKnativeAnnotations({}, { 'max-scale-limit': '20' }).problems).toHaveLength(1);
  });

  it('takes the progress deadline of a revision over its own', () => {
    const annotations = { 'serving.knative.dev/progress-deadline': '20m' };
    expect(parseKnativeAnnotations(annotations).settings.progressDeadlineMs).toBe(1_200_000);
    expect(parseKnativeAnnotations({ 'serving.knative.dev/progress-deadline': 'soon' }).problems).toHaveLength(1);
  });
});

describe("Go's durations", () => {
  it.each([
    ['0', 0],
    ['5s', 5000],
    ['1m30s', 90_000],
    ['30s1m', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['-2s', -2000],
    ['100us', 0.1],
  ])('%s is %d ms', (text, wanted) => expect(parseGoDuration(text)).toBeCloseTo(wanted, 9));

  it.each(['', '5', '5 s', 's', '1d', '1e3s', '--5s'])('%j is none', (text) =>
    expect(parseGoDuration(text)).toBeNull(),
  );
});
