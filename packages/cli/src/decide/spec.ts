import type { DecisionSpec } from '@ebb/core';
import { nearest } from '@ebb/documents';
import { hpaSpec } from './hpaSpec.ts';
import { kedaSpec } from './kedaSpec.ts';
import { LineError } from './lineError.ts';
import { settingsSpecs } from './settingsSpec.ts';
import { record, type Shape, shown } from './shape.ts';
import { pricedSpec, windowsSpec } from './windowsSpec.ts';

/** Every policy that a spec may name. A new one is a shape and a line here. */
const shapes: { [Policy in DecisionSpec['policy']]: Shape<Extract<DecisionSpec, { policy: Policy }>> } = {
  ...settingsSpecs,
  hpa: hpaSpec,
  keda: kedaSpec,
  priced: pricedSpec,
  windows: windowsSpec,
};

const policyNames = Object.keys(shapes).toSorted();

function isPolicy(name: unknown): name is DecisionSpec['policy'] {
  return typeof name === 'string' && Object.hasOwn(shapes, name);
}

/** A decision spec as it stands in a batch line, with its defaults filled in. */
export const decisionSpec: Shape<DecisionSpec> = (value, path) => {
  const { policy } = record(value, path);
  if (isPolicy(policy)) return shapes[policy](value, path);
  const meant = typeof policy === 'string' ? nearest(policy, policyNames) : undefined;
  const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
  throw new LineError(`${path}.policy is one of ${policyNames.join(', ')}, not ${shown(policy)}${hint}`);
};

/** Names of a spec's classes; one named `default` where the policy knows none. */
export function classNamesOf(spec: DecisionSpec): string[] {
  if (!('classes' in spec)) return ['default'];
  return spec.classes.map((one) => (typeof one === 'string' ? one : one.name));
}

/** Names that readings may have, and how each is meant. */
export function triggerNamesOf(spec: DecisionSpec): string[] {
  switch (spec.policy) {
    case 'windows':
    case 'priced':
      return [
        ...(spec.policy === 'windows' ? spec.scaling.triggers.map(({ name }) => name) : ['concurrency']),
        ...spec.scaling.schedules.map(({ name }) => `schedule:${name}`),
        ...spec.scaling.events.map(({ name }) => `event:${name}`),
      ];
    case 'hpa':
      return spec.metrics.map(({ name }) => name);
    case 'keda':
    case 'slo':
      return spec.triggers.map(({ name }) => name);
    case 'kpa':
      return [spec.metric === 'rps' ? 'requestRate' : 'concurrency'];
    case 'skyserve':
      return ['requestRate'];
    default:
      return ['concurrency'];
  }
}
