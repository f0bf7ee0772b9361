import { parseGoDuration } from './goDuration.ts';
import { defaultKpaSettings, type KpaSettings } from './kpaSettings.ts';

/**
 * Knative's configuration as it is written: annotations of a revision over the ConfigMap `config-autoscaler` (and
 * `progress-deadline` of `config-deployment`), with the ranges of pkg/apis/autoscaling/annotation_validation.go and
 * pkg/autoscaler/config/config.go.
 */
export interface KnativeProblem {
  /** The annotation or ConfigMap key, as written. */
  key: string;
  value: string;
  /** What may stand there. */
  allowed: string;
  message: string;
}

export interface KnativeSettings {
  settings: KpaSettings;
  /** Empty: everything that stands there is used. A value with a problem is not used, the default is. */
  problems: KnativeProblem[];
  /** Annotations of Knative's autoscaling that Ebb does not know; Knative ignores them too. */
  unknown: string[];
}

const domain = 'autoscaling.knative.dev/';
const hourMs = 3_600_000;
const mostScale = 2 ** 31 - 1;

/** Reads a text, or says what is allowed. */
type Read<Value> = (text: string) => { value: Value } | { allowed: string };

const numberIn = (allowed: string, fits: (value: number) => boolean): Read<number> => {
  return (text) => {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(value) && fits(value) ? { value } : { allowed };
  };
};

const wholeFrom = (least: number): Read<number> => {
  const allowed = `a whole number from ${least} to ${mostScale}`;
  return numberIn(allowed, (value) => Number.isInteger(value) && value >= least && value <= mostScale);
};

const durationIn = (leastMs: number, mostMs: number, allowed: string, whole: boolean): Read<number> => {
  return (text) => {
    const value = parseGoDuration(text);
    const fits = value !== null && value >= leastMs && value <= mostMs && (!whole || value % 1000 === 0);
    return fits ? { value: Math.round(value) } : { allowed };
  };
};

const boolean: Read<boolean> = (text) => {
  if (/^(true|false)$/i.test(text)) return { value: /^true$/i.test(text) };
  return { allowed: 'true or false' };
};

const share: Read<number> = (text) => {
  // For legacy reasons a ConfigMap may give the share itself: at most 1 is one already.
  const read = numberIn('a percentage over 0, at most 100', (value) => value > 0 && value <= 100)(text);
  return 'value' in read && read.value > 1 ? { value: read.value / 100 } : read;
};

const burst = numberIn('-1 (no limit), 0 (never), or a number above 0', (value) => value >= 0 || value === -1);
const rate = numberIn('a number above 1', (value) => value > 1);
const stableWindow = durationIn(6000, hourMs, 'whole seconds from 6s to 1h', true);
const scaleDownDelay = durationIn(0, hourMs, 'whole seconds from 0s to 1h', true);
const retention = durationIn(0, hourMs, 'a duration from 0s to 1h', false);
const panicWindow = numberIn('a percentage from 1 to 100', (value) => value >= 1 && value <= 100);

type Setter = (settings: KpaSettings, text: string) => string | null;

/** Puts a text into one setting; gives what is allowed when it does not fit. */
function sets<Key extends keyof KpaSettings>(key: Key, read: Read<KpaSettings[Key]>): Setter {
  return (settings, text) => {
    const result = read(text);
    if ('allowed' in result) return result.allowed;
    settings[key] = result.value;
    return null;
  };
}

/** ConfigMap `config-autoscaler`, and `progress-deadline` of `config-deployment`. */
const configKeys: Record<string, Setter> = {
  'container-concurrency-target-percentage': sets('targetUtilization', share),
  'container-concurrency-target-default': sets(
    'containerConcurrencyTargetDefault',
    numberIn('a number of at least 0.01', (value) => value >= 0.01),
  ),
  'requests-per-second-target-default': sets(
    'requestsPerSecondTargetDefault',
    numberIn('a number of at least 0.01', (value) => value >= 0.01),
  ),
  'target-burst-capacity': sets('targetBurstCapacity', burst),
  'stable-window': sets('stableWindowMs', stableWindow),
  'panic-window-percentage': sets('panicWindowPercentage', panicWindow),
  'panic-threshold-percentage': sets(
    'panicThresholdPercentage',
    numberIn('a percentage above 0', (value) => value > 0),
  ),
  'max-scale-up-rate': sets('maxScaleUpRate', rate),
  'max-scale-down-rate': sets('maxScaleDownRate', rate),
  'activator-capacity': sets(
    'activatorCapacity',
    numberIn('a number of at least 1', (value) => value >= 1),
  ),
  'enable-scale-to-zero': sets('enableScaleToZero', boolean),
  'scale-to-zero-grace-period': sets(
    'scaleToZeroGracePeriodMs',
    durationIn(1e-6, Number.MAX_SAFE_INTEGER, 'a duration above 0s', false),
  ),
  'scale-to-zero-pod-retention-period': sets(
    'scaleToZeroPodRetentionPeriodMs',
    durationIn(0, Number.MAX_SAFE_INTEGER, 'a duration from 0s', false),
  ),
  'scale-down-delay': sets('scaleDownDelayMs', scaleDownDelay),
  'min-scale': sets('minScale', wholeFrom(0)),
  'max-scale': sets('maxScale', wholeFrom(0)),
  'progress-deadline': sets(
    'progressDeadlineMs',
    durationIn(1000, Number.MAX_SAFE_INTEGER, 'whole seconds from 1s', true),
  ),
};

/** Read by themselves, because others depend on them. */
const configKeysAlone = new Set(['allow-zero-initial-scale', 'initial-scale', 'max-scale-limit']);

const metric: Read<KpaSettings['metric']> = (text) => {
  return text === 'concurrency' || text === 'rps' ? { value: text } : { allowed: 'concurrency or rps' };
};

const aggregation: Read<KpaSettings['aggregation']> = (text) => {
  if (text === '' || text === 'linear') return { value: 'linear' };
  if (text === 'weighted-exponential' || text === 'weightedExponential') return { value: 'weighted-exponential' };
  return { allowed: 'linear or weighted-exponential' };
};

/** By the name after the domain; older names in camel case mean the same. */
const annotationKeys: Record<string, Setter> = {
  metric: sets('metric', metric),
  target: sets(
    'target',
    numberIn('a number of at least 0.01', (value) => value >= 0.01),
  ),
  'target-utilization-percentage': (settings, text) => {
    const read = numberIn('a percentage from 1 to 100', (value) => value >= 1 && value <= 100)(text);
    if ('allowed' in read) return read.allowed;
    settings.targetUtilization = read.value / 100;
    return null;
  },
  'target-burst-capacity': sets('targetBurstCapacity', burst),
  window: sets('stableWindowMs', stableWindow),
  'panic-window-percentage': sets('panicWindowPercentage', panicWindow),
  'panic-threshold-percentage': sets(
    'panicThresholdPercentage',
    numberIn('a percentage from 110 to 1000', (value) => value >= 110 && value <= 1000),
  ),
  'scale-down-delay': sets('scaleDownDelayMs', scaleDownDelay),
  'scale-to-zero-pod-retention-period': sets('scaleToZeroPodRetentionPeriodMs', retention),
  'activation-scale': sets('activationScale', wholeFrom(1)),
  'min-scale': sets('minScale', wholeFrom(0)),
  'max-scale': sets('maxScale', wholeFrom(0)),
  'metric-aggregation-algorithm': sets('aggregation', aggregation),
};

const camelCase = (name: string) => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * The settings of a revision. `configMap` holds what the two ConfigMaps say, `containerConcurrency` is the revision's.
 * A problem names the key, what stands there and what is allowed; the rest is read all the same.
 */
export function parseKnativeAnnotations(
  annotations: Readonly<Record<string, string>>,
  configMap: Readonly<Record<string, string>> = {},
  containerConcurrency = 0,
): KnativeSettings {
  const settings: KpaSettings = { ...defaultKpaSettings, containerConcurrency };
  const problems: KnativeProblem[] = [];
  const complain = (key: string, value: string, allowed: string) => {
    problems.push({ key, value, allowed, message: `${key} is "${value}"; allowed: ${allowed}` });
  };
  for (const [key, value] of Object.entries(configMap)) {
    const allowed = configKeys[key]?.(settings, value);
    if (allowed) complain(key, value, allowed);
  }
  const alone = readTogether(settings, configMap, complain);
  const used = new Set<string>();
  for (const [name, set] of Object.entries(annotationKeys)) {
    const key = [domain + name, domain + camelCase(name)].find((candidate) => annotations[candidate] !== undefined);
    used.add(domain + name).add(domain + camelCase(name));
    const value = key === undefined ? undefined : annotations[key];
    if (key === undefined || value === undefined) continue;
    const allowed = set(settings, value);
    if (allowed) complain(key, value, allowed);
  }
  readClass(annotations, complain);
  readInitialScale(settings, annotations, alone.allowZero, complain);
  readProgressDeadline(settings, annotations, complain);
  checkScales(settings, annotations, alone.limit, complain);
  const known = (key: string) => used.has(key) || /\/(class|initial-scale|initialScale)$/.test(key);
  const unknown = Object.keys(annotations).filter((key) => key.startsWith(domain) && !known(key));
  return { settings, problems, unknown };
}

type Complain = (key: string, value: string, allowed: string) => void;

function readTogether(
  settings: KpaSettings,
  configMap: Readonly<Record<string, string>>,
  complain: Complain,
): { allowZero: boolean; limit: number } {
  const together = { allowZero: false, limit: 0 };
  for (const key of configKeysAlone) {
    const value = configMap[key];
    if (value === undefined) continue;
    if (key === 'allow-zero-initial-scale') {
      const read = boolean(value);
      if ('allowed' in read) complain(key, value, read.allowed);
      else together.allowZero = read.value;
    } else if (key === 'initial-scale') {
      const read = wholeFrom(together.allowZero ? 0 : 1)(value);
      if ('allowed' in read) complain(key, value, read.allowed);
      else settings.initialScale = read.value;
    } else {
      const read = wholeFrom(0)(value);
      if ('allowed' in read) complain(key, value, read.allowed);
      else together.limit = read.value;
    }
  }
  if (together.limit > 0 && (settings.maxScale < 1 || settings.maxScale > together.limit)) {
    complain('max-scale', `${settings.maxScale}`, `1 to max-scale-limit (${together.limit})`);
    settings.maxScale = together.limit;
  }
  return together;
}

function readClass(annotations: Readonly<Record<string, string>>, complain: Complain): void {
  const key = `${domain}class`;
  const value = annotations[key];
  if (value !== undefined && value !== 'kpa.autoscaling.knative.dev') {
    complain(key, value, 'kpa.autoscaling.knative.dev here; other classes have autoscalers of their own');
  }
}

function readInitialScale(
  settings: KpaSettings,
  annotations: Readonly<Record<string, string>>,
  allowZero: boolean,
  complain: Complain,
): void {
  const key = ['initial-scale', 'initialScale']
    .map((name) => domain + name)
    .find((name) => annotations[name] !== undefined);
  const value = key === undefined ? undefined : annotations[key];
  if (key === undefined || value === undefined) return;
  const read = wholeFrom(allowZero ? 0 : 1)(value);
  const zeroHint = allowZero ? '' : '; 0 needs allow-zero-initial-scale: true';
  if ('allowed' in read) complain(key, value, read.allowed + zeroHint);
  else settings.initialScale = read.value;
}

function readProgressDeadline(
  settings: KpaSettings,
  annotations: Readonly<Record<string, string>>,
  complain: Complain,
): void {
  const key = 'serving.knative.dev/progress-deadline';
  const value = annotations[key];
  const allowed = value === undefined ? null : configKeys['progress-deadline']?.(settings, value);
  if (value !== undefined && allowed) complain(key, value, allowed);
}

/** What only two settings together can break. */
function checkScales(
  settings: KpaSettings,
  annotations: Readonly<Record<string, string>>,
  limit: number,
  complain: Complain,
): void {
  const { minScale, maxScale } = settings;
  const key = `${domain}max-scale`;
  const written = annotations[key] ?? annotations[`${domain}maxScale`];
  if (limit > 0 && written !== undefined && (maxScale < 1 || maxScale > limit)) {
    complain(key, written, `1 to max-scale-limit (${limit})`);
    settings.maxScale = limit;
  }
  if (maxScale !== 0 && maxScale < minScale) {
    complain(key, `${maxScale}`, `0 (no maximum) or at least min-scale (${minScale})`);
  }
}
