import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { moneyField } from '../fields/money.ts';
import { rule } from '../fields/rule.ts';
import { sloFields } from './policySlo.ts';
import { checkSloPolicy, sloPolicyFields } from './policySloLlm.ts';

const hourMs = 3_600_000;

const share = (min: number, max: number) => z.number().min(min).max(max);
const rate = () => z.number().gt(1).max(1_000_000);
const target = () => z.number().min(0.001).max(1_000_000);
const type = <const Name extends string>(name: Name) => z.literal(name).meta({ description: 'Name of the policy.' });

const windows = z.strictObject({ type: type('windows') }).meta({
  title: 'windows',
  description: "Ebb's own: `windows`, `triggers`, `keepAlive`, `behavior` and `schedules`.",
});

const knative = z
  .strictObject({
    type: type('knative'),
    metric: z.enum(['concurrency', 'rps']).prefault('concurrency').meta({ description: 'What is counted.' }),
    target: z.number().min(0.01).max(1_000_000).optional().meta({
      description: 'For each replica. Left out: the concurrency of the classes, or the default target.',
    }),
    targetUtilization: share(0.01, 1).prefault(0.7).meta({ description: 'Share of the target that is planned for.' }),
    containerConcurrencyTargetDefault: target().prefault(100).meta({ description: 'Target where no class limits it.' }),
    requestsPerSecondTargetDefault: target().prefault(200).meta({ description: 'Target of `rps`.' }),
    stableWindow: durationField(6000, hourMs).prefault('60s').meta({ description: 'The window of quiet times.' }),
    panicWindowPercentage: z
      .number()
      .min(1)
      .max(100)
      .prefault(10)
      .meta({ description: 'Panic window, of the stable one.' }),
    panicThresholdPercentage: z.number().min(110).max(1000).prefault(200).meta({
      description: 'Panic begins when the panic window asks for this share of the ready replicas.',
    }),
    maxScaleUpRate: rate().prefault(1000).meta({ description: 'Most growth in one step, as a factor.' }),
    maxScaleDownRate: rate().prefault(2).meta({ description: 'Most shrinking in one step, as a divisor.' }),
    targetBurstCapacity: z.number().min(-1).max(1_000_000).prefault(211).meta({
      description: 'Requests that a burst may bring; -1: no limit, 0: none.',
    }),
    activatorCapacity: z
      .number()
      .min(1)
      .max(1_000_000)
      .prefault(100)
      .meta({ description: 'Requests of one activator.' }),
    enableScaleToZero: z.boolean().prefault(true).meta({ description: 'Whether it may go to zero.' }),
    scaleToZeroGracePeriod: durationField(1)
      .prefault('30s')
      .meta({ description: 'At most this long for the way to zero.' }),
    scaleToZeroPodRetentionPeriod: durationField(0, hourMs)
      .prefault('0s')
      .meta({ description: 'How long the last replica is kept.' }),
    scaleDownDelay: durationField(0, hourMs).prefault('0s').meta({ description: 'Fewer only after this long.' }),
    initialScale: z.int().min(0).max(100_000).prefault(1).meta({ description: 'Replicas at the beginning.' }),
    activationScale: z.int().min(1).max(100_000).prefault(1).meta({ description: 'At least this many when any.' }),
    progressDeadline: durationField(1000).prefault('600s').meta({ description: 'How long a start may take.' }),
    aggregation: z
      .enum(['linear', 'weighted-exponential'])
      .prefault('linear')
      .meta({ description: 'How a window is averaged.' }),
  })
  .meta({ title: 'knative', description: "Knative's Pod Autoscaler, with the names of its settings." });

const ray = z
  .strictObject({
    type: type('ray'),
    targetOngoingRequests: target().prefault(2).meta({ description: 'Requests running or waiting for each replica.' }),
    lookBackPeriod: durationField(1000, hourMs)
      .prefault('30s')
      .meta({ description: 'They are averaged over this long.' }),
    upscaleDelay: durationField().prefault('30s').meta({ description: 'More only after this long.' }),
    downscaleDelay: durationField().prefault('600s').meta({ description: 'Fewer only after this long.' }),
    downscaleToZeroDelay: durationField()
      .optional()
      .meta({ description: 'From one to zero. Left out: `downscaleDelay`.' }),
    upscalingFactor: target().prefault(1).meta({ description: 'Share of what is missing that is added.' }),
    downscalingFactor: target().prefault(1).meta({ description: 'Share of what is too much that is removed.' }),
    aggregation: z.enum(['mean', 'max', 'min']).prefault('mean').meta({ description: 'How the look-back is read.' }),
    gangSize: z.int().min(1).max(100_000).prefault(1).meta({ description: 'Replicas come in groups of this many.' }),
  })
  .meta({ title: 'ray', description: "Ray Serve's autoscaling." });

const skyserve = z
  .strictObject({
    type: type('skyserve'),
    targetQpsPerReplica: target().optional().meta({ description: 'Requests a second. Left out: always the minimum.' }),
    upscaleDelay: durationField().prefault('300s').meta({ description: 'More only after votes for this long.' }),
    downscaleDelay: durationField().prefault('1200s').meta({ description: 'Fewer only after votes for this long.' }),
    qpsWindow: durationField(1000, hourMs)
      .prefault('60s')
      .meta({ description: 'Requests are counted over this long.' }),
    decisionInterval: durationField(1000, hourMs).prefault('20s').meta({ description: 'Time between two votes.' }),
    noReplicaDecisionInterval: durationField(1000, hourMs).prefault('5s').meta({ description: 'The same at zero.' }),
  })
  .meta({ title: 'skyserve', description: "SkyServe's request-rate autoscaler." });

const kubeai = z
  .strictObject({
    type: type('kubeai'),
    targetRequests: target().prefault(100).meta({ description: 'Requests in flight for each replica.' }),
    scaleDownDelay: durationField().prefault('30s').meta({ description: 'Fewer only after votes for this long.' }),
    interval: durationField(1000, hourMs).prefault('10s').meta({ description: 'Time between two samples.' }),
    timeWindow: durationField(1000, 24 * hourMs)
      .prefault('10m')
      .meta({ description: 'Samples are averaged over this long.' }),
  })
  .meta({ title: 'kubeai', description: "KubeAI's model autoscaler." });

const aibrix = z
  .strictObject({
    type: type('aibrix'),
    targetValue: target().prefault(1).meta({ description: 'Requests in flight for each replica.' }),
    stableWindow: durationField(1000, hourMs)
      .prefault('180s')
      .meta({ description: 'They are averaged over this long.' }),
    maxScaleUpRate: rate().prefault(2).meta({ description: 'Most growth in one step, as a factor.' }),
    maxScaleDownRate: rate().prefault(2).meta({ description: 'Most shrinking in one step, as a divisor.' }),
    upFluctuationTolerance: share(0, 10)
      .prefault(0.1)
      .meta({ description: 'This much over the target is put up with.' }),
    downFluctuationTolerance: share(0, 1).prefault(0.1).meta({ description: 'This much below changes nothing.' }),
    scaleUpCooldown: durationField(0, hourMs).prefault('0s').meta({ description: 'Window of careful growth.' }),
    scaleDownCooldown: durationField(0, hourMs).prefault('300s').meta({ description: 'Window of careful shrinking.' }),
    reconcileInterval: durationField(1000, hourMs).prefault('10s').meta({ description: 'Time between two turns.' }),
  })
  .meta({ title: 'aibrix', description: "AIBrix's application-specific pod autoscaling." });

const clarifai = z
  .strictObject({
    type: type('clarifai'),
    softMinReplicas: z.int().min(0).max(100_000).prefault(0).meta({ description: 'On top of the minimum.' }),
    trafficHistory: durationField(1000, 24 * hourMs)
      .prefault('600s')
      .meta({ description: 'Look-back for the peak.' }),
    scaleUpDelay: durationField()
      .prefault('300s')
      .meta({ description: 'Between two increases, unless there is a burst.' }),
    scaleDownDelay: durationField().prefault('300s').meta({ description: 'After a count was last needed.' }),
    scaleToZeroDelay: durationField().prefault('3600s').meta({ description: 'Idle time before zero.' }),
  })
  .check(
    rule(['scaleDownDelay', 'scaleToZeroDelay'], ({ scaleDownDelay, scaleToZeroDelay }, report) => {
      if (scaleToZeroDelay >= scaleDownDelay) return;
      report(['scaleToZeroDelay'], 'scaleToZeroDelay must be at least scaleDownDelay', {
        code: 'out-of-bounds',
        related: [['scaleDownDelay']],
      });
    }),
  )
  .meta({ title: 'clarifai', description: "The fields of Clarifai's `autoscale_config`; the signal is Ebb's." });

const slo = z
  .strictObject({ type: type('slo'), ...sloFields, ...sloPolicyFields })
  .check(rule(['triggers', 'metrics', 'objective'], checkSloPolicy))
  .meta({
    title: 'slo',
    description: 'Steps by what callers feel: response time, waiting time, throughput, and what LLM servers publish.',
  });

/** Numbers of the policy `priced`, by the names that core has for them. */
export const pricedTuningNames = [
  'memory',
  'priorGaps',
  'mostEvidence',
  'tolerance',
  'mostTolerance',
  'backlog',
  'leastLongGaps',
  'clockPrior',
  'clockSharp',
  'headroom',
  'headroomLate',
  'drainSpeed',
  'halfMiss',
  'mostOpen',
  'missPrice',
  'forecast',
] as const;

const priced = z
  .strictObject({
    type: type('priced'),
    onTime: durationField(1, hourMs).prefault('5s').meta({
      description: 'A request is on time when a replica takes it within this.',
    }),
    share: share(0.5, 0.9999).optional().meta({
      description: 'Share of the requests that is to be on time. Left out: being late has a price only.',
    }),
    costOfLateness: moneyField()
      .optional()
      .meta({
        description:
          "What a late request costs, in the currency of the classes. Left out: two cold starts of a replica's price.",
        examples: ['0.002'],
      }),
    tuning: z
      .partialRecord(z.enum(pricedTuningNames), z.number().min(0).max(1_000_000))
      .optional()
      .meta({
        description:
          'Other numbers than those that the policy comes with, for experiments; docs/policy.md says what each does.',
        examples: [{ backlog: 0 }],
      }),
  })
  .meta({
    title: 'priced',
    description:
      "Ebb's own, by prices: replicas are kept or started early where that costs less than the requests that would be " +
      'late. `behavior`, `schedules` and `events` count; `keepAlive` only where it is written.',
  });

/** One strict object a policy: a further one is one more entry here. */
export const policySchema = z.discriminatedUnion('type', [
  windows,
  knative,
  ray,
  skyserve,
  kubeai,
  aibrix,
  clarifai,
  slo,
  priced,
]);

export type PolicyDocument = z.output<typeof policySchema>;
