import { formatDuration, nearest, resolveScaledObject, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import { targetFromSettings } from '../world/triggers.ts';
import { type Edit, valueAt, withEdits } from './edit.ts';
import { type Parameter, parameter, TuningSpaceError, type TuningSpace } from './space.ts';

const secondsMs = (...seconds: number[]) => seconds.map((each) => each * 1000);
const shares = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const windowsMs = secondsMs(6, 10, 15, 30, 60, 120, 300, 600);
const keptMs = secondsMs(0, 15, 30, 60, 90, 120, 180, 300, 600, 900, 1800, 3600);
const minimums = [0, 1, 2, 3, 4, 6, 8];
const asIs = (size: number) => size;
const scaling = ['spec', 'scaling'] as const;

/** Which policies can be tuned, and what of each. */
export const tunablePolicies: readonly { name: string; summary: string }[] = [
  { name: 'priced', summary: 'how dear a late request is when replicas are kept, minReplicas' },
  { name: 'windows', summary: 'targetUtilization, stable and panic window, keepAlive, scaleDown window, minReplicas' },
  { name: 'keda', summary: 'target, cooldownPeriod, pollingInterval, scaleDown window, minReplicaCount' },
  {
    name: 'knative',
    summary: 'targetUtilization, stableWindow, panic window, grace, retention, scaleDownDelay, minReplicas',
  },
  { name: 'keepalive', summary: 'how long each replica is kept after it was last needed, minReplicas' },
];

const makers: Record<string, (documents: readonly ApplyInput[]) => TuningSpace> = {
  priced,
  windows,
  keda,
  knative,
  keepalive,
};

/**
 * What of a policy can be changed in these documents. Left out: the policy that decides in them now.
 *
 * @throws TuningSpaceError where the policy has nothing in them that could be tuned, or they have not just one Workload.
 */
export function tuningSpace(documents: readonly ApplyInput[], policy?: string): TuningSpace {
  const workloads = documents.filter(({ kind }) => kind === 'Workload');
  if (workloads.length !== 1) {
    throw new TuningSpaceError(`one Workload can be tuned at a time; there are ${workloads.length}`);
  }
  const name = policy ?? policyOf(documents);
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (make) return make(documents);
  const names = Object.keys(makers);
  const near = nearest(name, names);
  const given = policy === undefined ? `the Workload is decided by ${name}, which` : `policy "${name}"`;
  throw new TuningSpaceError(
    `${given} cannot be tuned; there are ${names.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
  );
}

function policyOf(documents: readonly ApplyInput[]): string {
  if (documents.some(({ kind }) => kind === 'ScaledObject')) return 'keda';
  return workloadOf(documents).scaling.policy?.type ?? 'priced';
}

function workloadOf(documents: readonly ApplyInput[]): WorkloadSpec {
  const found = documents.find(({ kind }) => kind === 'Workload');
  return resolveWorkload(found?.document, { baseDirectory: '/' });
}

function refuseScaledObject(documents: readonly ApplyInput[], policy: string): void {
  if (!documents.some(({ kind }) => kind === 'ScaledObject')) return;
  throw new TuningSpaceError(
    `a ScaledObject scales the Workload; policy ${policy} would need it to be deleted, tune keda`,
  );
}

function duration(name: string, path: Edit['path'], presentMs: number, sizes: readonly number[]): Parameter {
  return parameter({ name, kind: 'Workload', path, write: formatDuration }, presentMs, sizes);
}

function minimum(workload: WorkloadSpec): Parameter {
  const { minReplicas, maxReplicas } = workload.scaling;
  const sizes = minimums.filter((count) => count <= maxReplicas);
  const path = [...scaling, 'minReplicas'];
  return parameter({ name: 'minReplicas', kind: 'Workload', path, write: asIs }, minReplicas, sizes);
}

/** Sets the policy's name where another one decides. */
function switched(documents: readonly ApplyInput[], type: 'priced' | 'windows' | 'knative'): Edit[] {
  const now = workloadOf(documents).scaling.policy?.type ?? 'priced';
  return now === type ? [] : [{ kind: 'Workload', path: [...scaling, 'policy'], value: { type } }];
}

const pricesOfMiss = [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.5, 2, 3, 5, 8, 12, 20, 50];

function priced(documents: readonly ApplyInput[]): TuningSpace {
  refuseScaledObject(documents, 'priced');
  const fixed = switched(documents, 'priced');
  const workload = workloadOf(withEdits(documents, fixed));
  const { policy } = workload.scaling;
  const now = (policy?.type === 'priced' ? policy.tuning?.missPrice : undefined) ?? 1;
  const path = [...scaling, 'policy', 'tuning', 'missPrice'];
  const price = parameter({ name: 'policy.tuning.missPrice', kind: 'Workload', path, write: asIs }, now, pricesOfMiss);
  // A document that names no policy is decided by this one too, but has no place for the number.
  const named: Edit = { kind: 'Workload', path: [...scaling, 'policy', 'type'], value: 'priced' };
  return {
    policy: 'priced',
    parameters: [price, minimum(workload)],
    fixed: fixed.length > 0 ? fixed : [named],
    documents,
    repair: (point) => point,
  };
}

function windows(documents: readonly ApplyInput[]): TuningSpace {
  refuseScaledObject(documents, 'windows');
  const fixed = switched(documents, 'windows');
  const workload = workloadOf(withEdits(documents, fixed));
  const { windows: now, keepAliveMs, behavior } = workload.scaling;
  const parameters = [
    parameter(
      {
        name: 'windows.targetUtilization',
        kind: 'Workload',
        path: [...scaling, 'windows', 'targetUtilization'],
        write: asIs,
      },
      now.targetUtilization,
      shares,
    ),
    duration('windows.stable', [...scaling, 'windows', 'stable'], now.stableMs, windowsMs),
    duration('windows.panic', [...scaling, 'windows', 'panic'], now.panicMs, secondsMs(1, 2, 3, 6, 10, 15, 30)),
    duration('keepAlive', [...scaling, 'keepAlive'], keepAliveMs, keptMs),
    scaleDown(behavior.scaleDown.stabilizationMs),
    minimum(workload),
  ];
  const [, stable, panic] = parameters;
  return {
    policy: 'windows',
    parameters,
    fixed,
    documents,
    // The panic window must be the shorter one.
    repair: (point) => {
      const stableMs = stable?.sizes[point[1] ?? 0] ?? 0;
      const allowed = panic?.sizes.filter((ms) => ms < stableMs).length ?? 0;
      return point.map((number, index) => (index === 2 ? Math.max(0, Math.min(number, allowed - 1)) : number));
    },
  };
}

function scaleDown(presentMs: number): Parameter {
  const path = [...scaling, 'behavior', 'scaleDown', 'stabilizationWindow'];
  return duration('behavior.scaleDown.stabilizationWindow', path, presentMs, keptMs);
}

function keepalive(documents: readonly ApplyInput[]): TuningSpace {
  refuseScaledObject(documents, 'keepalive');
  const workload = workloadOf(documents);
  const slots = workload.classes.reduce((most, { concurrency }) => Math.max(most, concurrency), 0);
  if (slots === 0) throw new TuningSpaceError('policy keepalive needs a class with a concurrency');
  const fixed: Edit[] = [
    ...switched(documents, 'windows'),
    {
      kind: 'Workload',
      path: [...scaling, 'windows'],
      value: { stable: '2s', panic: '1s', panicThreshold: 1000, maxScaleDownRate: 1_000_000, targetUtilization: 1 },
    },
    { kind: 'Workload', path: [...scaling, 'triggers'], value: [{ type: 'concurrency', target: slots }] },
    // The window holds the last replica as well; a keep-alive would come on top of it.
    { kind: 'Workload', path: [...scaling, 'keepAlive'], value: '0s' },
  ];
  const parameters = [scaleDown(workload.scaling.behavior.scaleDown.stabilizationMs), minimum(workload)];
  return {
    policy: 'keepalive',
    parameters,
    fixed: fixed.filter((edit) => isNew(documents, edit)),
    documents,
    repair: (point) => point,
  };
}

function isNew(documents: readonly ApplyInput[], { kind, path, value }: Edit): boolean {
  const document = documents.find((one) => one.kind === kind)?.document;
  return JSON.stringify(valueAt(document, path)) !== JSON.stringify(value);
}

function knative(documents: readonly ApplyInput[]): TuningSpace {
  refuseScaledObject(documents, 'knative');
  const fixed = switched(documents, 'knative');
  const workload = workloadOf(withEdits(documents, fixed));
  const { policy } = workload.scaling;
  if (policy?.type !== 'knative') throw new TuningSpaceError('policy knative could not be set in the Workload');
  const at = (name: string) => [...scaling, 'policy', name];
  const number = (name: string, present: number, sizes: readonly number[]) =>
    parameter({ name: `policy.${name}`, kind: 'Workload', path: at(name), write: asIs }, present, sizes);
  const time = (name: string, presentMs: number, sizes: readonly number[]) =>
    duration(`policy.${name}`, at(name), presentMs, sizes);
  const parameters = [
    number('targetUtilization', policy.targetUtilization, shares),
    time('stableWindow', policy.stableWindowMs, windowsMs),
    number('panicWindowPercentage', policy.panicWindowPercentage, [5, 10, 20, 50]),
    time('scaleToZeroGracePeriod', policy.scaleToZeroGracePeriodMs, secondsMs(1, 10, 30, 60, 120)),
    time('scaleToZeroPodRetentionPeriod', policy.scaleToZeroPodRetentionPeriodMs, keptMs),
    time('scaleDownDelay', policy.scaleDownDelayMs, keptMs),
    minimum(workload),
  ];
  return { policy: 'knative', parameters, fixed, documents, repair: (point) => point };
}

const targetFactors = [0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2];
const hpaWindowSeconds = 300;

function keda(documents: readonly ApplyInput[]): TuningSpace {
  const objects = documents.filter(({ kind }) => kind === 'ScaledObject');
  const [object] = objects;
  if (!object || objects.length > 1) {
    throw new TuningSpaceError(
      `policy keda needs just one ScaledObject among the documents; there are ${objects.length}`,
    );
  }
  const spec = resolveScaledObject(object.document);
  const triggers = valueAt(object.document, ['spec', 'triggers']);
  const seconds = (name: string, path: Edit['path'], present: number, sizes: readonly number[]) =>
    parameter({ name, kind: 'ScaledObject', path, write: asIs }, present, sizes);
  const down = [
    'spec',
    'advanced',
    'horizontalPodAutoscalerConfig',
    'behavior',
    'scaleDown',
    'stabilizationWindowSeconds',
  ];
  const given = (path: Edit['path'], otherwise: number) => {
    const found = valueAt(object.document, path);
    return typeof found === 'number' ? found : otherwise;
  };
  const most = given(['spec', 'maxReplicaCount'], 100);
  const parameters = [
    ...(Array.isArray(triggers) ? triggers.flatMap((_, index) => target(object, spec.triggers[index], index)) : []),
    seconds(
      'cooldownPeriod',
      ['spec', 'cooldownPeriod'],
      given(['spec', 'cooldownPeriod'], 300),
      [0, 15, 30, 60, 90, 120, 180, 300, 600, 900, 1800, 3600],
    ),
    seconds(
      'pollingInterval',
      ['spec', 'pollingInterval'],
      given(['spec', 'pollingInterval'], 30),
      [5, 10, 15, 30, 60],
    ),
    seconds(
      'scaleDown.stabilizationWindowSeconds',
      down,
      given(down, hpaWindowSeconds),
      [0, 30, 60, 120, 300, 600, 900, 1800],
    ),
    seconds(
      'minReplicaCount',
      ['spec', 'minReplicaCount'],
      given(['spec', 'minReplicaCount'], 0),
      minimums.filter((count) => count <= most),
    ),
  ];
  return { policy: 'keda', parameters, fixed: [], documents, repair: (point) => point };
}

function target(
  object: ApplyInput,
  trigger: Parameters<typeof targetFromSettings>[0] | undefined,
  index: number,
): Parameter[] {
  const known = trigger ? targetFromSettings(trigger) : null;
  const field = Object.entries(trigger?.metadata ?? {}).find(
    ([name, value]) =>
      Number(value) === known?.target &&
      !name.startsWith('activation') &&
      /target|threshold|length|count|value/i.test(name),
  )?.[0];
  if (!known || field === undefined) return [];
  const path = ['spec', 'triggers', index, 'metadata', field];
  const sizes = targetFactors.map((factor) => Number((known.target * factor).toPrecision(2)));
  const wasNumber = typeof valueAt(object.document, path) === 'number';
  return [
    parameter(
      { name: `triggers[${index}].${field}`, kind: 'ScaledObject', path, write: wasNumber ? asIs : String },
      known.target,
      sizes,
    ),
  ];
}
