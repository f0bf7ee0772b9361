import { readFileSync } from 'node:fs';
import type { SizingSample } from './types.ts';

/**
 * A table that upstream's own code wrote (`tools/golden/vpa`), one case a line; the samples of the scenarios are made
 * again from their seeds.
 */
export const golden: Golden = readGolden();

function readGolden(): Golden {
  const text = readFileSync(new URL('./golden.jsonl', import.meta.url), 'utf8');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => Object.entries(JSON.parse(line)));
  const all = (name: string) => lines.flatMap((entries) => entries.filter(([key]) => key === name)).map(([, v]) => v);
  return {
    upstream: all('upstream')[0] as string,
    points: all('points')[0] as number[],
    buckets: all('buckets')[0] as Golden['buckets'],
    checkpoints: all('checkpoint') as Golden['checkpoints'],
    scenarios: all('scenario') as Scenario[],
    capping: all('capping') as CappingCase[],
    updates: all('update') as UpdateCase[],
  };
}

export interface Golden {
  upstream: string;
  points: number[];
  buckets: {
    cpuStarts: number[];
    memoryStarts: number[];
    cpuFirstMilli: [number, number][];
    memoryAround: [number, number, number][];
  };
  checkpoints: {
    samples: [number, number][];
    saved: HistogramState;
    before: number[];
    after: number[];
    emptyAfter: boolean;
  }[];
  scenarios: Scenario[];
  capping: CappingCase[];
  updates: UpdateCase[];
}

export interface HistogramState {
  referenceMs: number;
  totalWeight: number;
  weights: [number, number][];
}

export interface Scenario {
  seed: number;
  containers: number;
  replicas: number;
  events: number;
  stepMs: number;
  cpuMax: number;
  memoryMax: number;
  oomOneIn: number;
  lateOneIn: number;
  results: ContainerResult[];
  mergedCpuAt: number[];
  mergedMemoryAt: number[];
  mergedSamples: number;
}

export interface ContainerResult {
  name: string;
  accepted: number;
  samples: number;
  firstMs: number;
  lastMs: number;
  windowEnds: number[];
  peaks: number[];
  cpu: HistogramState;
  memory: HistogramState;
  cpuAt: number[];
  memoryAt: number[];
  target: [number, number];
  lower: [number, number];
  upper: [number, number];
}

interface Amounts {
  cpuMilli?: number;
  memoryBytes?: number;
}

interface Container {
  name: string;
  requests: Amounts;
  limits?: Amounts;
}

interface Recommended {
  name: string;
  lowerBound?: Amounts;
  target: Amounts;
  upperBound?: Amounts;
}

interface Range {
  min: Amounts;
  max: Amounts;
  default: Amounts;
}

export interface CappingCase {
  containers: Container[];
  policies: {
    container: string;
    minAllowed: Amounts;
    maxAllowed: Amounts;
    controlledValues: 'RequestsAndLimits' | 'RequestsOnly';
  }[];
  recommenderMax: Amounts;
  podRange: Range | null;
  containerRange: Range | null;
  recommended: Recommended[];
  capped: Recommended[];
  fitted: Recommended[];
  applied: Container[];
}

export interface UpdateCase {
  mode: 'Recreate' | 'Auto' | 'InPlace' | 'InPlaceOrRecreate';
  minReplicas: number | null;
  skipsBudget: boolean;
  requirements: {
    resources: ('cpu' | 'memory')[];
    changeRequirement: 'TargetHigherThanRequests' | 'TargetLowerThanRequests';
  }[];
  groups: Record<string, number>;
  recommended: Recommended[];
  refused: Recommended[];
  pods: {
    name: string;
    group: string;
    pending?: boolean;
    ageMs: number;
    containers: Container[];
    oomOf: number;
    oomRanMs?: number;
    oomAgoMs?: number;
    resize?: 'infeasible' | 'deferred' | 'inProgress' | 'error';
    refused?: boolean;
  }[];
  actions: [string, string][];
}

const startMs = 1_700_000_123_456;

/** The samples of a scenario, in order, as the generator fed them. */
export function samplesOf(scenario: Scenario): SizingSample[] {
  const random = new Mulberry32(scenario.seed);
  const samples: SizingSample[] = [];
  let nowMs = startMs;
  for (let i = 0; i < scenario.events; i++) {
    nowMs += 1 + random.below(scenario.stepMs);
    const container = `c${random.below(scenario.containers)}`;
    const replica = `r${random.below(scenario.replicas)}`;
    const late = scenario.lateOneIn > 0 && random.below(scenario.lateOneIn) === 0;
    const atMs = late ? nowMs - random.below(4 * scenario.stepMs) : nowMs;
    const cpuMilli = random.skewed(scenario.cpuMax);
    const memoryBytes = random.skewed(scenario.memoryMax);
    const oom = scenario.oomOneIn > 0 && random.below(scenario.oomOneIn) === 0;
    samples.push(
      oom
        ? { type: 'oom', container, replica, atMs, requestBytes: memoryBytes }
        : { type: 'usage', container, replica, atMs, cpuMilli, memoryBytes },
    );
  }
  return samples;
}

/** The generator's numbers, as `random.go` has them. */
class Mulberry32 {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  skewed(max: number): number {
    const [a, b] = [this.below(1000), this.below(1000)];
    return Math.floor((Math.floor((a * b) / 999) * max) / 999);
  }
}
