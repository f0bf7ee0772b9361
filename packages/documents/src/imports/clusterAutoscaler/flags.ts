import type { Path } from '../../fields/rule.ts';
import { countOf, durationMsOf, durationOf, FieldError, shareOf } from '../values.ts';
import type { Outcome } from '../walk.ts';
import { type NodeGroup, readDiscovery, readNodes } from './nodeGroups.ts';

/** What the flags of one autoscaler say of its cluster and its pools. */
export interface AutoscalerDraft {
  cloud: string;
  clusterName: string | null;
  /** Told by a tag of auto-discovery. */
  discoveredName: string | null;
  region: string | null;
  nodeLimits: Record<string, unknown>;
  groups: NodeGroup[];
  consolidation: Record<string, unknown>;
  startupTaints: { key: string; effect: 'NoSchedule' }[];
  startTimeout: string;
  terminationGrace: string | null;
  maxGoing: number;
  maxDraining: number;
  isDelayLocal: boolean;
  expanders: string[];
}

/** With the autoscaler's own defaults. */
export function newDraft(): AutoscalerDraft {
  return {
    cloud: 'gcp',
    clusterName: null,
    discoveredName: null,
    region: null,
    nodeLimits: {},
    groups: [],
    consolidation: {
      delay: '10m',
      delayAfterScaleUp: '10m',
      utilizationBelow: 0.5,
      gpuUtilizationBelow: 0.5,
    },
    startupTaints: [],
    startTimeout: '15m',
    terminationGrace: '10m',
    maxGoing: 10,
    maxDraining: 1,
    isDelayLocal: false,
    expanders: [],
  };
}

type FlagRule = (value: string, draft: AutoscalerDraft, path: Path) => Outcome;

const shortestStartMs = 60_000;
const perPool = 'it counts for each pool, not for all of them together';

/** Flags that have a counterpart, apart from `expander`, which needs its ConfigMap. */
export const flagRules: Readonly<Record<string, FlagRule>> = {
  nodes: (value, { groups }, path) => readNodes(value, path, groups),
  'node-group-auto-discovery': (value, draft, path) =>
    readDiscovery(value, path, draft.groups, (name) => {
      draft.discoveredName ??= name;
    }),
  'cloud-provider': readCloud,
  'cluster-name': (value, draft) => {
    draft.clusterName = value;
    return { becomes: 'cluster' };
  },
  'max-nodes-total': (value, { nodeLimits }) => {
    const nodes = countOf(value);
    if (nodes > 0) nodeLimits.nodes = nodes;
    return { becomes: 'nodeLimits.nodes of the Cluster' };
  },
  'cores-total': (value, { nodeLimits }) => readTotal(value, 'cpu', (max) => max, nodeLimits),
  'memory-total': (value, { nodeLimits }) => readTotal(value, 'memory', (max) => `${max}Gi`, nodeLimits),
  'gpu-total': (value, { nodeLimits }) => {
    const match = /^([^:]+):(\d+):(\d+)$/.exec(value);
    if (!match) throw new FieldError(`must be TYPE:MIN:MAX, found "${value}"`);
    nodeLimits.gpu = Number(nodeLimits.gpu ?? 0) + countOf(match[3]);
    return { becomes: 'nodeLimits.gpu of the Cluster', note: 'GPUs of all models are bounded together' };
  },
  'scale-down-enabled': (value, { consolidation }) => {
    if (!switchOf(value)) consolidation.policy = 'Never';
    return { becomes: 'consolidation.policy' };
  },
  'scale-down-unneeded-time': (value, { consolidation }) => {
    consolidation.delay = durationOf(value);
    return { becomes: 'consolidation.delay' };
  },
  'scale-down-delay-after-add': (value, draft) => {
    draft.consolidation.delayAfterScaleUp = durationOf(value);
    const becomes = 'consolidation.delayAfterScaleUp';
    return draft.isDelayLocal ? { becomes } : { becomes, note: perPool };
  },
  'scale-down-delay-type-local': (value) =>
    switchOf(value) ? { becomes: 'consolidation.delayAfterScaleUp' } : { ignored: perPool },
  'scale-down-utilization-threshold': (value, { consolidation }) => {
    consolidation.utilizationBelow = shareOf(value);
    return { becomes: 'consolidation.utilizationBelow' };
  },
  'scale-down-gpu-utilization-threshold': (value, { consolidation }) => {
    consolidation.gpuUtilizationBelow = shareOf(value);
    return { becomes: 'consolidation.gpuUtilizationBelow' };
  },
  'max-node-provision-time': readStartTimeout,
  'max-graceful-termination-sec': (value, draft) => {
    const seconds = countOf(value);
    draft.terminationGrace = seconds === 0 ? '0s' : durationOf(`${seconds}s`);
    return { becomes: 'terminationGrace' };
  },
  'max-empty-bulk-delete': (value, draft) => readGoing(value, draft),
  'max-scale-down-parallelism': (value, draft) => readGoing(value, draft),
  'max-drain-parallelism': (value, draft) => {
    draft.maxDraining = countOf(value, 100_000);
    return { becomes: 'disruptionBudgets[1]', note: perPool };
  },
  'startup-taint': readStartupTaint,
  'ignore-taint': readStartupTaint,
  'enforce-node-group-min-size': (value) =>
    switchOf(value) ? { becomes: 'minNodes' } : { ignored: 'minNodes of a pool are always kept' },
  'scale-up-from-zero': (value) =>
    switchOf(value) ? { becomes: 'minNodes' } : { ignored: 'pools always grow from zero nodes too' },
};

/** Those of them that may stand without a value. */
export const ruleSwitches: readonly string[] = [
  'scale-down-enabled',
  'scale-down-delay-type-local',
  'enforce-node-group-min-size',
  'scale-up-from-zero',
];

const providers: Readonly<Record<string, string>> = {
  aws: 'aws',
  gce: 'gcp',
  azure: 'azure',
  oci: 'oracle',
  'oci-oke': 'oracle',
};

function readCloud(value: string, draft: AutoscalerDraft): Outcome {
  const cloud = Object.hasOwn(providers, value) ? providers[value] : undefined;
  draft.cloud = cloud ?? 'on-prem';
  if (cloud !== undefined) return { becomes: 'cloud of the Cluster' };
  return { becomes: 'cloud of the Cluster', note: `the prices of ${value} are not known here: read as on-prem` };
}

function readTotal(
  value: string,
  field: string,
  write: (max: number) => unknown,
  nodeLimits: Record<string, unknown>,
): Outcome {
  const [, min, max] = /^(\d+):(\d+)$/.exec(value) ?? [];
  if (min === undefined || max === undefined) throw new FieldError(`must be MIN:MAX, found "${value}"`);
  nodeLimits[field] = write(countOf(max, 1_000_000_000));
  const becomes = `nodeLimits.${field} of the Cluster`;
  return min === '0'
    ? { becomes }
    : { becomes, note: 'a minimum over all pools is not kept; minNodes of each pool is' };
}

function readStartTimeout(value: string, draft: AutoscalerDraft): Outcome {
  const isShort = durationMsOf(value) < shortestStartMs;
  draft.startTimeout = isShort ? '1m' : durationOf(value);
  return isShort ? { becomes: 'startTimeout', note: 'the shortest here is 1m' } : { becomes: 'startTimeout' };
}

function readGoing(value: string, draft: AutoscalerDraft): Outcome {
  draft.maxGoing = countOf(value, 100_000);
  return { becomes: 'disruptionBudgets[0]', note: perPool };
}

function readStartupTaint(value: string, { startupTaints }: AutoscalerDraft): Outcome {
  const key = value.replace(/[=:].*$/, '');
  startupTaints.push({ key, effect: 'NoSchedule' });
  return { becomes: 'startupTaints', note: 'the effect is not written there: read as NoSchedule' };
}

/** Go's flags: `1`, `t`, `true` and so on. */
export function switchOf(value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new FieldError(`must be true or false, found "${value}"`);
}
