import { parseDuration } from '@ebb/documents';
import { type Batching, type ClassModel, comparableModel, type Distribution, type WorldModel } from '@ebb/simulator';
import { parseDocument } from 'yaml';
import { isRecord, listOf, number, object, oneOf, orElse, recordOf, type Shape, shown, text } from '../decide/shape.ts';
import { LineError } from '../decide/lineError.ts';

const duration: Shape<number> = (value, path) => {
  const parsed = typeof value === 'string' ? parseDuration(value) : null;
  if (parsed && !('error' in parsed)) return parsed.value;
  const why =
    parsed && 'error' in parsed ? parsed.error : `expected a duration such as 250ms or 30s, found ${shown(value)}`;
  throw new LineError(`${path}: ${why}`);
};

const positive: Shape<number> = (value, path) => {
  const found = number(value, path);
  if (found > 0) return found;
  throw new LineError(`${path} must be more than 0, not ${found}`);
};

const slots: Shape<number> = (value, path) => {
  if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value);
  throw new LineError(`${path} is a whole number from 1, not ${shown(value)}`);
};

const share: Shape<number> = (value, path) => {
  const found = number(value, path);
  if (found >= 0 && found <= 1) return found;
  throw new LineError(`${path} is a share from 0 to 1, not ${found}`);
};

/** `30s`, `{ from: 20s, to: 60s }`, `{ median: 30s, sigma: 0.4 }`, `{ measured: [28s, 31s] }`. */
const distribution: Shape<Distribution> = (value, path) => {
  if (!isRecord(value)) return { type: 'fixed', ms: duration(value, path) };
  if ('measured' in value) {
    const { measured } = object<{ measured: number[] }>({ measured: listOf(duration) })(value, path);
    if (measured.length === 0) throw new LineError(`${path}.measured needs at least one duration`);
    return { type: 'empirical', ms: measured };
  }
  if ('median' in value) {
    const found = object<{ median: number; sigma: number }>({ median: duration, sigma: positive })(value, path);
    return { type: 'lognormal', medianMs: found.median, sigma: found.sigma };
  }
  const { from, to } = object<{ from: number; to: number }>({ from: duration, to: duration })(value, path);
  if (to < from) throw new LineError(`${path}: to is before from`);
  return { type: 'uniform', fromMs: from, toMs: to };
};

const coldStart: Shape<WorldModel['coldStart']> = (value, path) => {
  if (!Array.isArray(value)) return [{ stage: 'ready', ms: distribution(value, path) }];
  return listOf<WorldModel['coldStart'][number]>((one, at) => {
    if (!isRecord(one))
      throw new LineError(`${at} is a stage such as { stage: weights, time: 40s }, not ${shown(one)}`);
    const found = object<{ stage: string; time: Distribution }>({ stage: text, time: distribution })(one, at);
    return { stage: found.stage, ms: found.time };
  })(value, path);
};

const service: Shape<WorldModel['service']> = (value, path) => {
  if (!isRecord(value)) return { type: 'fixed', ms: duration(value, path) };
  if ('measured' in value) {
    const { measured } = object<{ measured: number[] }>({ measured: listOf(duration) })(value, path);
    if (measured.length === 0) throw new LineError(`${path}.measured needs at least one duration`);
    return { type: 'empirical', ms: measured };
  }
  const found = object<{ base: number; perToken: number; withoutTokens: number | null }>({
    base: duration,
    perToken: duration,
    withoutTokens: orElse(duration, null),
  })(value, path);
  const { base: baseMs, perToken: perTokenMs, withoutTokens } = found;
  return { type: 'tokens', baseMs, perTokenMs, withoutTokensMs: withoutTokens ?? baseMs };
};

const mostTimesAsLong = 100;

/** `[8, 1.6]`: with eight requests in service each takes 1.6 times as long. */
const slowdownPoint: Shape<readonly [number, number]> = (value, path) => {
  if (!Array.isArray(value) || value.length !== 2) {
    throw new LineError(
      `${path} is a pair such as [8, 1.6] (requests in service, times as long as one alone), not ${shown(value)}`,
    );
  }
  const requests = slots(value[0], `${path}[0]`);
  const times = number(value[1], `${path}[1]`);
  if (times >= 1 && times <= mostTimesAsLong) return [requests, times];
  throw new LineError(
    `${path}[1] is how many times longer a service takes, from 1 to ${mostTimesAsLong}, not ${times}`,
  );
};

const batching: Shape<Batching> = (value, path) => {
  const { slowdown } = object<Batching>({ slowdown: listOf(slowdownPoint) })(value, path);
  if (slowdown.length === 0) throw new LineError(`${path}.slowdown needs at least one pair such as [8, 1.6]`);
  for (const [index, [requests]] of slowdown.entries()) {
    const [before] = slowdown[index - 1] ?? [0];
    if (requests > before) continue;
    throw new LineError(
      `${path}.slowdown[${index}]: ${requests} requests come after ${before}; each pair has more than the one before`,
    );
  }
  return { slowdown };
};

interface FaultsFile {
  crashEveryHours: number;
  hangEveryHours: number;
  failedStartShare: number;
  slowShare: number;
  slowFactor: number;
  silentEveryHours: number;
  silent: number;
  staleEveryHours: number;
  stale: number;
  preemptions: number[];
  notice: number;
  clientTimeout: number;
  retries: number;
}

const faults: Shape<WorldModel['faults']> = (value, path) => {
  const found = object<FaultsFile>({
    crashEveryHours: orElse(positive, 0),
    hangEveryHours: orElse(positive, 0),
    failedStartShare: orElse(share, 0),
    slowShare: orElse(share, 0),
    slowFactor: orElse(positive, 1),
    silentEveryHours: orElse(positive, 0),
    silent: orElse(duration, 0),
    staleEveryHours: orElse(positive, 0),
    stale: orElse(duration, 0),
    preemptions: orElse(listOf(duration), []),
    notice: orElse(duration, 0),
    clientTimeout: orElse(duration, 0),
    retries: orElse(slots, 0),
  })(value, path);
  const { silent, stale, preemptions, notice, clientTimeout, ...others } = found;
  return {
    ...others,
    silentMs: silent,
    staleMs: stale,
    preemptionsMs: preemptions,
    noticeMs: notice,
    clientTimeoutMs: clientTimeout,
  };
};

const classes: Shape<NonNullable<WorldModel['classes']>> = (value, path) => {
  const one = object<{ service: WorldModel['service'] | null; coldStart: WorldModel['coldStart'] | null }>({
    service: orElse(service, null),
    coldStart: orElse(coldStart, null),
  });
  const found: Record<string, ClassModel> = {};
  for (const [name, { service: own, coldStart: start }] of Object.entries(recordOf(one)(value, path))) {
    if (start?.length === 0) throw new LineError(`${path}.${name}.coldStart needs at least one stage`);
    found[name] = { ...(own === null ? {} : { service: own }), ...(start === null ? {} : { coldStart: start }) };
  }
  return found;
};

const deferrable: Shape<NonNullable<WorldModel['deferrable']>> = (value, path) => {
  const found = object<{ share: number; maxDelay: number }>({ share, maxDelay: duration })(value, path);
  return { share: found.share, maxDelayMs: found.maxDelay };
};

interface ModelFile {
  classes: WorldModel['classes'] | null;
  concurrency: number | null;
  service: WorldModel['service'] | null;
  batching: Batching | null;
  coldStart: WorldModel['coldStart'] | null;
  onTime: number | null;
  share: number | null;
  deferrable: WorldModel['deferrable'] | null;
  source: 'queue' | 'gateway' | null;
  faults: WorldModel['faults'];
}

const modelFile = object<ModelFile>({
  classes: orElse(classes, null),
  concurrency: orElse(slots, null),
  service: orElse(service, null),
  batching: orElse(batching, null),
  coldStart: orElse(coldStart, null),
  onTime: orElse(duration, null),
  share: orElse(share, null),
  deferrable: orElse(deferrable, null),
  source: orElse(oneOf('queue', 'gateway'), null),
  faults: orElse(faults, comparableModel(1).faults),
});

/** What a file says of the world, YAML or JSON; what it leaves out is left out. Throws `LineError`. */
export function parseModel(source: string): Partial<WorldModel> {
  const document = parseDocument(source);
  const [error] = document.errors;
  if (error) throw new LineError(error.message.split('\n', 1)[0]?.replace(/:$/, '') ?? 'is no YAML');
  const value: unknown = document.toJS();
  const found = modelFile(value ?? {}, '');
  const model: Partial<WorldModel> = { faults: found.faults };
  if (found.classes) model.classes = found.classes;
  if (found.concurrency !== null) model.concurrency = found.concurrency;
  if (found.service !== null) model.service = found.service;
  if (found.batching !== null) model.batching = found.batching;
  if (found.coldStart !== null) model.coldStart = found.coldStart;
  if (found.onTime !== null) model.onTimeMs = found.onTime;
  if (found.share !== null) model.onTimeShare = found.share;
  if (found.deferrable) model.deferrable = found.deferrable;
  if (found.source !== null) model.source = found.source;
  if (model.coldStart?.length === 0) throw new LineError('coldStart needs at least one stage');
  return model;
}
