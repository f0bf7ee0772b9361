import type { Path } from '../../fields/rule.ts';
import { disruptionReasons } from '../../nodePool/disruption.ts';
import {
  countOf,
  durationMsOf,
  durationOf,
  FieldError,
  isRecord,
  mapOf,
  oneOf,
  plainText,
  quantityOf,
  textOf,
  textsOf,
} from '../values.ts';
import { type FieldRules, ignored, type Outcome } from '../walk.ts';
import { placeRequirement, readRequirement, regionOf } from './requirement.ts';

/** A NodePool in the making. */
export interface PoolDraft {
  name: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: Record<string, unknown>;
  consolidation: Record<string, unknown>;
  limits: Record<string, unknown>;
  budgets: Record<string, unknown>[];
  nodeClass: { group: string; kind: string; name: string } | null;
  region: string | null;
}

const shortestExpiryMs = 60_000;
const disruptKey = 'karpenter.sh/do-not-disrupt';

/** What becomes of each field of a `karpenter.sh/v1` NodePool. */
export const nodePoolRules: FieldRules<PoolDraft> = {
  'metadata.name': (value, draft) => {
    draft.name = textOf(value);
    return { becomes: 'metadata.name' };
  },
  'metadata.namespace': ignored("Karpenter's NodePools have no namespace"),
  'metadata.labels': (value, draft) => {
    draft.labels = mapOf(value);
    return { becomes: 'metadata.labels' };
  },
  'metadata.annotations': (value, draft) => {
    draft.annotations = mapOf(value);
    return { becomes: 'metadata.annotations' };
  },
  'spec.weight': (value, draft) => {
    draft.spec.weight = countOf(value, 100);
    return { becomes: 'weight' };
  },
  'spec.replicas': (value, draft) => {
    const nodes = countOf(value, 100_000);
    draft.spec.minNodes = nodes;
    draft.spec.maxNodes = nodes;
    draft.consolidation.policy = 'Never';
    return { becomes: 'minNodes and maxNodes' };
  },
  'spec.limits.*': readLimit,
  'spec.template.metadata.labels': (value, draft) => {
    draft.spec.labels = mapOf(value);
    return { becomes: 'labels' };
  },
  'spec.template.metadata.annotations.*': (value, draft, path) => {
    if (path.at(-1) !== disruptKey) return { ignored: 'annotations of nodes are not used here' };
    if (plainText(value) !== 'true') return { ignored: 'only "true" is read; a time is not' };
    draft.consolidation.policy = 'Never';
    return { becomes: 'consolidation.policy', note: 'expireAfter counts all the same' };
  },
  'spec.template.spec.nodeClassRef': (value, draft) => {
    if (!isRecord(value)) throw new FieldError('must be a map with group, kind and name');
    draft.nodeClass = { group: textOf(value.group), kind: textOf(value.kind), name: textOf(value.name) };
    return { becomes: 'cluster' };
  },
  'spec.template.spec.taints.*': (value, draft) => readTaint(value, draft, 'taints'),
  'spec.template.spec.startupTaints.*': (value, draft) => readTaint(value, draft, 'startupTaints'),
  'spec.template.spec.requirements.*': (value, draft) => {
    const requirement = readRequirement(value);
    draft.region ??= regionOf(requirement);
    return placeRequirement(requirement, draft.spec);
  },
  'spec.template.spec.expireAfter': (value, draft) => {
    if (value === 'Never') {
      delete draft.spec.expireAfter;
      return { becomes: 'expireAfter' };
    }
    const isShort = durationMsOf(value) < shortestExpiryMs;
    draft.spec.expireAfter = isShort ? '1m' : durationOf(value);
    return isShort ? { becomes: 'expireAfter', note: 'the shortest here is 1m' } : { becomes: 'expireAfter' };
  },
  'spec.template.spec.terminationGracePeriod': (value, draft) => {
    draft.spec.terminationGrace = durationOf(value);
    return { becomes: 'terminationGrace' };
  },
  'spec.disruption.consolidateAfter': (value, draft) => {
    if (value === 'Never') {
      draft.consolidation.policy = 'Never';
      return { becomes: 'consolidation.policy' };
    }
    draft.consolidation.delay = durationOf(value);
    return { becomes: 'consolidation.delay' };
  },
  'spec.disruption.consolidationPolicy': readPolicy,
  'spec.disruption.consolidateWhen': readPolicy,
  'spec.disruption.decisionRatioThreshold': ignored('what a move must save against what it costs is not set by pool'),
  'spec.disruption.budgets.*.nodes': (value, draft, path) => {
    const text = plainText(value);
    return intoBudget(draft, path, 'nodes', /^\d+$/.test(text) ? Number(text) : text);
  },
  'spec.disruption.budgets.*.reasons': (value, draft, path) => {
    const reasons = textsOf(value).map((reason) => oneOf(reason, disruptionReasons));
    return intoBudget(draft, path, 'reasons', reasons);
  },
  'spec.disruption.budgets.*.schedule': (value, draft, path) => {
    const text = textOf(value);
    return intoBudget(draft, path, 'schedule', macros[text] ?? text);
  },
  'spec.disruption.budgets.*.duration': (value, draft, path) => intoBudget(draft, path, 'duration', durationOf(value)),
};

const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

function readLimit(value: unknown, draft: PoolDraft, path: Path): Outcome {
  const resource = String(path.at(-1));
  if (resource === 'nodes') {
    // A pool of fixed size keeps its size.
    if (draft.spec.maxNodes === undefined) draft.spec.maxNodes = countOf(value, 100_000);
    return { becomes: 'maxNodes' };
  }
  if (resource === 'cpu' || resource === 'memory') {
    draft.limits[resource] = quantityOf(value, resource === 'cpu' ? 'milli' : 'bytes');
    return { becomes: `limits.${resource}` };
  }
  if (!resource.endsWith('/gpu')) return { ignored: 'a pool is bounded by cpu, memory, GPUs and nodes' };
  if (draft.limits.gpu !== undefined)
    return { ignored: 'a pool has one bound for GPUs of all makers; the first counts' };
  draft.limits.gpu = quantityOf(value, 'milli');
  return { becomes: 'limits.gpu' };
}

function readPolicy(value: unknown, draft: PoolDraft): Outcome {
  const all = ['WhenEmpty', 'WhenEmptyOrUnderutilized', 'Balanced', 'WhenCostJustifiesDisruption'] as const;
  const policy = oneOf(value, all);
  const known = policy === 'WhenEmpty' || policy === 'WhenEmptyOrUnderutilized';
  // `Never` of another field stays.
  draft.consolidation.policy ??= known ? policy : 'WhenEmptyOrUnderutilized';
  if (known) return { becomes: 'consolidation.policy' };
  return { becomes: 'consolidation.policy', note: 'read as WhenEmptyOrUnderutilized, without its ratio' };
}

function readTaint(value: unknown, { spec }: PoolDraft, field: 'taints' | 'startupTaints'): Outcome {
  if (!isRecord(value)) throw new FieldError('must be a map with key and effect');
  const taint = {
    key: textOf(value.key),
    ...(value.value === undefined || value.value === null ? {} : { value: plainText(value.value) }),
    effect: oneOf(value.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  };
  const taints = Array.isArray(spec[field]) ? spec[field] : [];
  spec[field] = [...taints, taint];
  return { becomes: `${field}[${taints.length}]` };
}

function intoBudget({ budgets }: PoolDraft, path: Path, field: string, value: unknown): Outcome {
  const index = Number(path.at(-2));
  budgets[index] = { ...budgets[index], [field]: value };
  return { becomes: `disruptionBudgets[${index}].${field}` };
}
