import type { JournalRecord, LogLine } from '@ebb/core';
import type {
  ApiObject,
  ClassHintStatus,
  ColdStart,
  Condition,
  CostGroup,
  CostReport,
  CostStatus,
  CostTotal,
  DecisionStatus,
  JobStatus,
  LearnedColdStart,
  Problem,
  ReasonStatus,
  ReplicaCounts,
  ReplicaStatus,
  RequestCounts,
  ScaledByStatus,
  ScaledJobStatus,
  ScaledObjectStatus,
  SizedClassStatus,
  SystemStatus,
  TriggerStatus,
  WatchEvent,
  WorkloadStatus,
} from '@ebb/documents';
import type { Explanation, WorkloadRecommendation } from '@ebb/engine';
import { z } from 'zod';
import type { ApplyAnswer } from './applyDocuments.ts';
import { component, count } from './component.ts';
import { apiErrors, type ProblemBody } from './errors.ts';

const microseconds = z.int().min(0).nullable();

const problem = component<Problem>(
  'Problem',
  z.strictObject({
    severity: z.enum(['error', 'warning']),
    code: z.string(),
    message: z.string(),
    file: z.string(),
    line: z.int(),
    column: z.int(),
    path: z.string(),
    found: z.string().exactOptional(),
    allowed: z.array(z.string()).exactOptional(),
    suggestion: z.string().exactOptional(),
    related: z
      .array(z.strictObject({ path: z.string(), line: z.int(), column: z.int(), file: z.string().exactOptional() }))
      .exactOptional(),
  }),
);

const errorCodes = Object.keys(apiErrors) as (keyof typeof apiErrors)[];

export const problemBodySchema = component<ProblemBody>(
  'ProblemBody',
  z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes),
    problems: z.array(problem).exactOptional(),
  }),
);

const coldStart = component<ColdStart>(
  'ColdStart',
  z.strictObject({
    arrivalToAskUs: microseconds,
    askToSpawnUs: microseconds,
    spawnToListenUs: microseconds,
    listenToReadyUs: microseconds,
    readyToRouteUs: microseconds,
  }),
);

const learnedColdStart = component<LearnedColdStart>(
  'LearnedColdStart',
  z.strictObject({
    starts: count,
    askToSpawnUs: microseconds,
    spawnToListenUs: microseconds,
    listenToReadyUs: microseconds,
    readyToRouteUs: microseconds,
    totalUs: count,
  }),
);

const replicaStatus = component<ReplicaStatus>(
  'ReplicaStatus',
  z.strictObject({
    id: z.string(),
    class: z.string(),
    revision: z.string(),
    node: z.string(),
    phase: z.enum(['pending', 'starting', 'ready', 'draining', 'stopping', 'backoff', 'failed', 'gone']),
    createdAt: z.int(),
    readyAt: z.int().nullable(),
    inFlight: count,
    pid: z.int().nullable(),
    port: z.int().nullable(),
    restarts: count,
    message: z.string(),
    coldStart,
  }),
);

const replicaCounts = component<ReplicaCounts>(
  'ReplicaCounts',
  z.strictObject({ wanted: count, starting: count, ready: count, draining: count, failed: count }),
);

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const reason = component<ReasonStatus>(
  'Reason',
  z.strictObject({ code: z.string(), stage: z.string(), sentence: z.string(), data: z.record(z.string(), scalar) }),
);

const decision = component<DecisionStatus>(
  'Decision',
  z.strictObject({
    sequence: z.int(),
    at: z.int(),
    replicas: count,
    classes: z.record(z.string(), count),
    summary: z.string(),
    reasons: z.array(reason),
  }),
);

const condition = component<Condition>(
  'Condition',
  z.strictObject({
    type: z.string(),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string(),
    message: z.string(),
    lastTransitionTime: z.string(),
  }),
);

const cost = component<CostStatus>(
  'Cost',
  z.strictObject({
    currency: z.string(),
    ratePerHourMicro: z.int(),
    soFarMicro: z.string(),
    replicaSeconds: z.number(),
    alwaysOnMicro: z.string(),
    alwaysOnReplicaSeconds: z.number(),
    assumption: z.string(),
  }),
);

const requestCounts = component<RequestCounts>(
  'RequestCounts',
  z.strictObject({ total: count, succeeded: count, failed: count, refused: count, cancelled: count, held: count }),
);

const triggerStatus = component<TriggerStatus>(
  'TriggerStatus',
  z.strictObject({
    name: z.string(),
    type: z.string(),
    state: z.enum(['ok', 'stale', 'missing', 'error', 'unread']),
    value: z.number().nullable(),
    target: z.number().nullable(),
    active: z.boolean().nullable(),
    at: z.int().nullable(),
    message: z.string(),
  }),
);

const mode = z.enum(['exact', 'reactive']);

const scaledBy = component<ScaledByStatus>(
  'ScaledBy',
  z.strictObject({
    kind: z.enum(['ScaledObject', 'HTTPScaledObject']),
    name: z.string(),
    mode,
    triggers: z.array(triggerStatus),
  }),
);

const jobStatus = component<JobStatus>(
  'JobStatus',
  z.strictObject({
    id: z.string(),
    phase: z.enum(['waiting', 'running', 'succeeded', 'failed']),
    attempts: count,
    failures: count,
    createdAt: z.int(),
    startedAt: z.int().nullable(),
    endedAt: z.int().nullable(),
    exitCode: z.int().nullable(),
    message: z.string(),
  }),
);

export const scaledJobStatusSchema = component<ScaledJobStatus>(
  'ScaledJobStatus',
  z.strictObject({
    cluster: z.string(),
    namespace: z.string(),
    name: z.string(),
    generation: z.int(),
    paused: z.boolean(),
    mode,
    minReplicas: count,
    maxReplicas: count,
    jobs: z.strictObject({ waiting: count, running: count, succeeded: count, failed: count }),
    summary: z.string(),
    triggers: z.array(triggerStatus),
    jobList: z.array(jobStatus),
    conditions: z.array(condition),
  }),
);

const scaledObjectStatus = component<ScaledObjectStatus>(
  'ScaledObjectStatus',
  z.strictObject({
    target: z.string(),
    mode,
    minReplicas: count,
    maxReplicas: count,
    replicas: count.nullable(),
    hpaName: z.string(),
    triggers: z.array(triggerStatus),
    lastActiveAt: z.string().nullable(),
    conditions: z.array(condition),
  }),
);

const classHint = component<ClassHintStatus>(
  'ClassHint',
  z.strictObject({
    class: z.string().nullable(),
    because: z.string(),
    costPerHourMicro: z.record(z.string(), count),
    lateShare: z.record(z.string(), z.number()),
    measuredLateShare: z.number(),
    breakEvenRatePerHour: z.number().nullable(),
    confidence: z.number(),
  }),
);

const sizedResources = z.strictObject({ cpuMilli: count, memoryBytes: count });
const sizedLimits = z.strictObject({ cpuMilli: count.exactOptional(), memoryBytes: count.exactOptional() });

const sizedClass = component<SizedClassStatus>(
  'SizedClass',
  z.strictObject({
    revision: z.string(),
    atMs: z.int(),
    requests: sizedResources,
    limits: sizedLimits,
    documentRequests: sizedResources,
    documentLimits: sizedLimits,
  }),
);

export const workloadStatusSchema = component<WorkloadStatus>(
  'WorkloadStatus',
  z.strictObject({
    cluster: z.string(),
    namespace: z.string(),
    name: z.string(),
    generation: z.int(),
    observedGeneration: z.int(),
    replicas: replicaCounts,
    classes: z.record(z.string(), replicaCounts),
    inFlight: count,
    held: count,
    oldestHeldMs: z.number().nullable(),
    requests: requestCounts,
    minReplicas: count,
    maxReplicas: count,
    decision: decision.nullable(),
    revisitAt: z.int().nullable(),
    coldStarts: z.strictObject({
      count,
      last: coldStart.nullable(),
      learned: z.record(z.string(), learnedColdStart).exactOptional(),
    }),
    onTime: z
      .strictObject({
        withinMs: count,
        requests: count,
        late: count,
        lastHour: z.strictObject({ requests: count, late: count }),
      })
      .exactOptional(),
    classHint: classHint.exactOptional(),
    sized: z.record(z.string(), sizedClass).exactOptional(),
    cost,
    replicaList: z.array(replicaStatus),
    conditions: z.array(condition),
    url: z.string().nullable(),
    scaledBy: scaledBy.nullable(),
  }),
);

export const systemStatusSchema = component<SystemStatus>(
  'SystemStatus',
  z.strictObject({
    version: z.string(),
    at: z.int(),
    startedAt: z.int(),
    gateway: z.strictObject({ connected: z.boolean(), url: z.string(), pid: z.int().nullable() }),
    agent: z.strictObject({ connected: z.boolean(), pid: z.int().nullable() }),
    workloads: z.array(workloadStatusSchema),
    scaledJobs: z.array(scaledJobStatusSchema).exactOptional(),
    dataDirectory: z.string(),
    gpus: z
      .strictObject({
        state: z.enum(['none', 'ok', 'broken']),
        message: z.string(),
        driverVersion: z.string().nullable(),
        sharing: z.string(),
        mps: z.boolean(),
        gpuMilli: count,
        labels: z.record(z.string(), z.string()),
      })
      .nullable()
      .exactOptional(),
  }),
);

export const objectSchema = component<ApiObject>(
  'Object',
  z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.strictObject({
      name: z.string(),
      namespace: z.string(),
      cluster: z.string(),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
      resourceVersion: z.string(),
      generation: z.int(),
      creationTimestamp: z.string(),
    }),
    spec: z.unknown(),
    status: z.union([workloadStatusSchema, scaledObjectStatus, scaledJobStatusSchema]).exactOptional(),
  }),
);

export const objectListSchema = component<{ apiVersion: string; kind: string; items: ApiObject[] }>(
  'ObjectList',
  z.strictObject({ apiVersion: z.string(), kind: z.string(), items: z.array(objectSchema) }),
);

export const applyAnswerSchema = component<ApplyAnswer>(
  'ApplyResult',
  z.strictObject({
    dryRun: z.boolean(),
    outcomes: z.array(
      z.strictObject({
        kind: z.string(),
        cluster: z.string(),
        namespace: z.string(),
        name: z.string(),
        action: z.enum(['created', 'configured', 'unchanged']),
        resourceVersion: z.string().nullable(),
        generation: z.int().nullable(),
      }),
    ),
    warnings: z.array(problem),
  }),
);

export const journalRecordSchema = component<JournalRecord>(
  'JournalRecord',
  z.strictObject({
    sequence: z.int(),
    segment: z.int(),
    atMs: z.int(),
    kind: z.enum(['snapshot', 'reading', 'event', 'decision', 'grant', 'action', 'outcome']),
    workload: z.string().nullable(),
    body: z.unknown(),
  }),
);

export const journalSchema = component<{ items: JournalRecord[] }>(
  'Journal',
  z.strictObject({ items: z.array(journalRecordSchema) }),
);

export const explanationSchema = component<Explanation>(
  'Explanation',
  z.strictObject({
    workload: z.string(),
    decision: journalRecordSchema.nullable(),
    grant: journalRecordSchema.nullable(),
    actions: z.array(journalRecordSchema),
    lines: z.array(z.strictObject({ stage: z.string(), code: z.string(), sentence: z.string() })),
  }),
);

export const recommendationSchema = component<WorkloadRecommendation>(
  'Recommendation',
  z.strictObject({
    workload: z.string(),
    atMs: z.int(),
    apply: z.enum(['never', 'nextRollout', 'inPlace']),
    classes: z.array(
      z.strictObject({
        class: z.string(),
        requests: sizedResources,
        limits: z.strictObject({ cpuMilli: count.nullable(), memoryBytes: count.nullable() }),
        amounts: z
          .strictObject({
            lowerBound: sizedResources,
            target: sizedResources,
            upperBound: sizedResources,
            uncapped: sizedResources,
          })
          .nullable(),
        suggested: z
          .strictObject({
            requests: sizedResources,
            limits: sizedLimits,
          })
          .nullable(),
        applied: sizedClass.nullable(),
        confidence: z.strictObject({
          samples: count,
          historyMs: count,
          enough: z.boolean(),
          sentence: z.string(),
        }),
        reasons: z.array(z.strictObject({ code: z.string(), sentence: z.string() })),
      }),
    ),
  }),
);

const micro = z.string().regex(/^\d+$/);

const costTotal = {
  currency: z.string(),
  costMicro: micro,
  replicaSeconds: z.number().min(0),
  capacityMicro: z.record(z.string(), micro),
  idle: z.strictObject({ share: z.number().min(0).max(1), costMicro: micro }).nullable(),
  alwaysOnMicro: micro.nullable(),
  requests: count.nullable(),
};

export const costReportSchema = component<CostReport>(
  'CostReport',
  z.strictObject({
    at: z.int(),
    from: z.int(),
    to: z.int(),
    by: z.union([z.enum(['workload', 'class', 'pool', 'node']), z.templateLiteral(['label:', z.string()])]),
    namespace: z.string().nullable(),
    groups: z.array(component<CostGroup>('CostGroup', z.strictObject({ name: z.string(), ...costTotal }))),
    machines: z
      .array(z.strictObject({ cluster: z.string(), currency: z.string(), costMicro: micro, leastMicro: micro }))
      .exactOptional(),
    totals: z.array(component<CostTotal>('CostTotal', z.strictObject(costTotal))),
    forecasts: z.array(
      z.strictObject({
        currency: z.string(),
        monthStart: z.int(),
        monthEnd: z.int(),
        spentMicro: micro,
        expectedMicro: micro.nullable(),
        lowMicro: micro.nullable(),
        highMicro: micro.nullable(),
        days: count,
        basis: z.enum(['weekday', 'mean', 'none']),
      }),
    ),
    budgets: z.array(
      z.strictObject({
        namespace: z.string().nullable(),
        currency: z.string(),
        mode: z.enum(['warn', 'stopGrowing']),
        limitMicro: micro,
        spentMicro: micro,
      }),
    ),
  }),
);

export const logLineSchema = component<LogLine>(
  'LogLine',
  z.strictObject({
    replica: z.string(),
    atMs: z.int(),
    stream: z.enum(['stdout', 'stderr', 'ebb']),
    text: z.string(),
  }),
);

const sequence = z.int();
const at = z.int();

export const watchEventSchema = component<WatchEvent | { type: 'heartbeat'; sequence: number; at: number }>(
  'WatchEvent',
  z.discriminatedUnion('type', [
    z.strictObject({ sequence, type: z.literal('status'), at, status: workloadStatusSchema }),
    z.strictObject({ sequence, type: z.literal('jobs'), at, status: scaledJobStatusSchema }),
    z.strictObject({ sequence, type: z.literal('decision'), at, workload: z.string(), decision }),
    z.strictObject({
      sequence,
      type: z.literal('document'),
      at,
      action: z.enum(['applied', 'deleted']),
      kind: z.string(),
      key: z.string(),
      resourceVersion: z.int(),
    }),
    z.strictObject({ sequence, type: z.literal('deleted'), at, workload: z.string() }),
    z.strictObject({ sequence, type: z.literal('heartbeat'), at }),
  ]),
);

export const healthSchema = component<{ status: 'ok' | 'degraded'; gateway: boolean; agent: boolean }>(
  'Health',
  z.strictObject({ status: z.enum(['ok', 'degraded']), gateway: z.boolean(), agent: z.boolean() }),
);
