import { readDocument } from '../parse/readDocument.ts';
import type { ClassDocument } from './class.ts';
import { migAmounts } from './gpuProfile.ts';
import { joinPath } from './joinPath.ts';
import { resolvePlacement } from './placement.ts';
import { type PolicyDocument, policySchema } from './policy.ts';
import { resolvePolicy } from './resolvePolicy.ts';
import { resolveProbes } from './resolveProbes.ts';
import type { Resources, ScalingSpec, TriggerSpec, WorkloadClass, WorkloadSpec } from './resolved.ts';
import type { ResourcesDocument } from './resources.ts';
import { windowsSchema } from './scaling.ts';
import { resolveSizing } from './sizing.ts';
import { defaultRoute, resolveRoute } from './route.ts';
import { dependencyKeys, type WorkloadDocument, workloadKind } from './workload.ts';

export interface ResolveOptions {
  /** Absolute folder that relative working directories start from: the document's own. */
  baseDirectory: string;
}

/** A concurrency trigger's target where no class limits its concurrency. */
const defaultTarget = 10;
const sharedUtilization = 0.7;
const defaultKeepAliveMs = 60_000;
const defaultWindows = windowsSchema.parse({});

/**
 * A Workload as everything behind this package reads it. Takes the document as it was written (`unknown` as it
 * comes out of a store); throws `InvalidDocumentError` when it is not valid.
 */
export function resolveWorkload(document: unknown, options: ResolveOptions): WorkloadSpec {
  const read = readDocument(workloadKind, document);
  const { metadata, spec } = read;
  return {
    key: workloadKind.keyOf(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    classes: spec.classes.map((item) => resolveClass(item, options.baseDirectory)),
    probes: resolveProbes(spec.probes),
    serving: resolveServing(read),
    scaling: resolveScaling(read),
    update: spec.update,
    ...(spec.sizing ? { sizing: resolveSizing(spec.sizing) } : {}),
    priority: spec.priority,
    dependsOn: dependencyKeys(read),
    interruption: spec.placement?.interruption ?? spec.interruption ?? 'never',
    ...(spec.placement ? { placement: resolvePlacement(spec.placement) } : {}),
  };
}

function resolveClass(document: ClassDocument, baseDirectory: string): WorkloadClass {
  const { accepts } = document;
  return {
    name: document.name,
    command: document.command,
    env: document.env,
    envFromHost: document.envFromHost,
    workingDirectory: joinPath(baseDirectory, document.workingDirectory),
    port: document.port,
    resources: resolveResources(document.resources),
    concurrency: document.concurrency,
    accepts: accepts
      ? {
          maxBodyBytes: accepts.maxBodySize ?? null,
          maxTokens: accepts.maxTokens ?? null,
          models: accepts.models,
          headers: accepts.headers,
        }
      : null,
    pricePerHourMicro: document.pricePerHour,
    currency: document.currency,
    terminationGraceMs: document.terminationGrace,
  };
}

/** As in Kubernetes, a request that is left out is its limit. */
function resolveResources({ requests, limits }: ResourcesDocument): WorkloadClass['resources'] {
  const limited: Partial<Resources> = {
    ...(limits.cpu === undefined ? {} : { cpuMilli: limits.cpu }),
    ...(limits.memory === undefined ? {} : { memoryBytes: limits.memory }),
    ...(limits.gpu === undefined ? {} : { gpuMilli: limits.gpu }),
    ...resolveGpu(limits),
  };
  return {
    requests: {
      cpuMilli: requests.cpu ?? limits.cpu ?? 0,
      memoryBytes: requests.memory ?? limits.memory ?? 0,
      gpuMilli: requests.gpu ?? limits.gpu ?? 0,
      ...resolveGpu({ ...limits, ...requests }),
    },
    limits: limited,
  };
}

function resolveGpu({ gpu, gpuMemory, gpuProfile }: ResourcesDocument['requests']): Partial<Resources> {
  if (gpuProfile !== undefined) return migAmounts(gpuProfile, (gpu ?? 1000) / 1000);
  return gpuMemory === undefined ? {} : { gpuMemoryBytes: gpuMemory };
}

/** The routes that count for a document, with the default where none are named. */
export function resolveRoutes({ metadata, spec }: WorkloadDocument) {
  return spec.serving.routes?.map(resolveRoute) ?? [defaultRoute(metadata.namespace, metadata.name)];
}

function resolveServing(document: WorkloadDocument): WorkloadSpec['serving'] {
  const { timeouts, buffer, balancing, affinity, deferrable, drain } = document.spec.serving;
  return {
    routes: resolveRoutes(document),
    timeouts: {
      holdMs: timeouts.hold,
      responseMs: timeouts.response,
      requestMs: timeouts.request,
      idleMs: timeouts.idle,
    },
    buffer: {
      maxRequests: buffer.maxRequests,
      maxBodyBytes: buffer.maxBodySize,
      maxTotalBytes: buffer.maxTotalSize,
    },
    balancing,
    affinity: resolveAffinity(affinity),
    deferrable: deferrable
      ? { maxDelayMs: deferrable.maxDelay, reserve: deferrable.reserve, maxRequests: deferrable.maxRequests }
      : null,
    drainMs: drain,
  };
}

function resolveAffinity(
  affinity: WorkloadDocument['spec']['serving']['affinity'],
): WorkloadSpec['serving']['affinity'] {
  if (affinity?.header !== undefined) return { header: affinity.header.toLowerCase() };
  return affinity?.cookie === undefined ? null : { cookie: affinity.cookie };
}

function resolveScaling({ spec }: WorkloadDocument): ScalingSpec {
  const { scaling, classes } = spec;
  const { behavior } = scaling;
  const windows = scaling.windows ?? defaultWindows;
  const policy = scaling.policy ?? defaultPolicy(scaling);
  const oneAtATime = classes.every((item) => item.concurrency === 1);
  return {
    minReplicas: scaling.minReplicas,
    maxReplicas: scaling.maxReplicas,
    initialReplicas: scaling.initialReplicas ?? scaling.minReplicas,
    windows: {
      stableMs: windows.stable,
      panicMs: windows.panic,
      panicThreshold: windows.panicThreshold,
      maxScaleUpRate: windows.maxScaleUpRate,
      maxScaleDownRate: windows.maxScaleDownRate,
      targetUtilization: windows.targetUtilization ?? (oneAtATime ? 1 : sharedUtilization),
    },
    triggers: resolveTriggers(scaling.triggers, classes),
    keepAliveMs: scaling.keepAlive ?? defaultKeepAliveMs,
    ...(policy.type === 'priced' && scaling.keepAlive !== undefined ? { keepAliveGiven: true } : {}),
    behavior: { scaleUp: resolveRules(behavior.scaleUp), scaleDown: resolveRules(behavior.scaleDown) },
    schedules: scaling.schedules,
    events: scaling.events.map(({ lead, ...event }) => ({ ...event, leadMs: lead })),
    paused: resolvePaused(scaling.paused),
    policy: resolvePolicy(policy),
  };
}

const defaultPolicies = {
  windows: policySchema.parse({ type: 'windows' }),
  priced: policySchema.parse({ type: 'priced' }),
};

/** Who sets windows or triggers means the policy that reads them. */
function defaultPolicy({ windows, triggers }: WorkloadDocument['spec']['scaling']): PolicyDocument {
  const type = windows !== undefined || triggers.length > 0 ? 'windows' : 'priced';
  return defaultPolicies[type];
}

function resolveTriggers(
  triggers: WorkloadDocument['spec']['scaling']['triggers'],
  classes: ClassDocument[],
): TriggerSpec[] {
  if (triggers.length > 0) return triggers.map((trigger) => ({ ...trigger, name: trigger.name ?? trigger.type }));
  const unlimited = classes.some((item) => item.concurrency === 0);
  const target = unlimited ? defaultTarget : Math.max(...classes.map((item) => item.concurrency));
  return [{ name: 'concurrency', type: 'concurrency', target }];
}

function resolveRules(
  rules: WorkloadDocument['spec']['scaling']['behavior']['scaleUp'],
): ScalingSpec['behavior']['scaleUp'] {
  return {
    stabilizationMs: rules.stabilizationWindow,
    selectPolicy: rules.selectPolicy,
    policies: rules.policies.map(({ type, value, period }) => ({ type, value, periodMs: period })),
  };
}

function resolvePaused(paused: WorkloadDocument['spec']['scaling']['paused']): ScalingSpec['paused'] {
  if (typeof paused === 'object') return { replicas: paused.replicas ?? null };
  return paused ? { replicas: null } : null;
}
