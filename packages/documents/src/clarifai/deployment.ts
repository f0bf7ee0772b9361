import type { Path } from '../fields/rule.ts';
import { apiVersion } from '../kind.ts';
import { formatDuration } from '../units/duration.ts';
import {
  clarifaiAnnotations,
  type Converted,
  type Hints,
  hintList,
  labelOf,
  metadataOf,
  sayIgnored,
  withoutUndefined,
} from './converted.ts';
import type { ComputeInfo, Deployment } from './schemas.ts';
import { unknownProgram } from './program.ts';

const defaultToZeroSeconds = 3600;

const ignored = {
  visibility: 'who may see an object is not part of documents here',
  metadata: 'it is not read; write annotations into the Workload',
  email_reminder_after: 'Ebb sends no mail; the budget of a NodePool bounds what it may cost',
  desired_worker: 'the next worker is the one of the next document that is applied',
};

/** A Workload of the same name with the policy `clarifai`, at zero until its program is known. */
export function convertDeployment(source: Deployment): Converted {
  const { hints, say } = hintList('deployment');
  sayIgnored(source, ignored, say);
  const { model, workflow } = source.worker;
  const worker = model ? `model "${model.id}"` : `workflow "${workflow?.id ?? ''}"`;
  say(
    ['worker', model ? 'model' : 'workflow'],
    `the program of the ${worker} is not known here, so the workload is kept at zero; name it with ` +
      `ebb deployment create --config FILE --command "PROGRAM ARGUMENTS", or in spec.classes[0].command of the Workload`,
    'mode-not-available',
  );
  if (source.deploy_latest_version) {
    say(['deploy_latest_version'], 'deploy_latest_version is not honoured: Ebb runs what its document names');
  }
  if (source.graceful_deploy === false) {
    say(['graceful_deploy'], 'graceful_deploy false is not honoured: replicas are replaced one by one all the same');
  }
  return {
    kind: 'Workload',
    document: {
      apiVersion,
      kind: 'Workload',
      metadata: metadataOf(source, workerAnnotations(source), say),
      spec: {
        classes: [{ name: 'default', command: [unknownProgram], ...resources(source, say) }],
        scaling: scaling(source),
        placement: placement(source, say),
      },
    },
    hints,
    origins: {
      'metadata.name': ['deployment', 'id'],
      'spec.classes': ['deployment', 'worker'],
      'spec.scaling': ['deployment', 'autoscale_config'],
      'spec.scaling.minReplicas': ['deployment', 'autoscale_config', 'min_replicas'],
      'spec.scaling.maxReplicas': ['deployment', 'autoscale_config', 'max_replicas'],
      'spec.placement': ['deployment', poolsField(source)],
      'spec.placement.instances': ['deployment', 'scheduling_choice'],
      'spec.placement.spread': ['deployment', 'autoscale_config', 'disable_packing'],
    },
  };
}

function workerAnnotations({ worker, status }: Deployment) {
  const { model, workflow } = worker;
  return {
    [clarifaiAnnotations.modelId]: model?.id,
    [clarifaiAnnotations.modelVersionId]: model?.model_version?.id,
    [clarifaiAnnotations.modelUserId]: model?.user_id,
    [clarifaiAnnotations.modelAppId]: model?.app_id,
    [clarifaiAnnotations.workflowId]: workflow?.id,
    [clarifaiAnnotations.status]: typeof status === 'string' ? status : undefined,
  };
}

function scaling({ autoscale_config: config }: Deployment) {
  const duration = (seconds: number): string => formatDuration(Math.round(seconds * 1000));
  const { scale_down_delay_seconds: down } = config;
  return {
    minReplicas: config.min_replicas,
    maxReplicas: config.max_replicas,
    policy: {
      type: 'clarifai',
      softMinReplicas: config.soft_min_replicas,
      trafficHistory: duration(config.traffic_history_seconds),
      scaleUpDelay: duration(config.scale_up_delay_seconds),
      scaleDownDelay: duration(down),
      scaleToZeroDelay: duration(config.scale_to_zero_delay_seconds ?? Math.max(defaultToZeroSeconds, down)),
    },
    // A deployment that is DISABLED stays so; others wait for their program.
    paused: { replicas: 0 },
  };
}

function poolsField(source: Deployment): string {
  return source.nodepools ? 'nodepools' : 'deployment_nodepools';
}

/** Which of Clarifai's choices are honoured, and the reason why the others are not. */
const orders: Readonly<Record<string, { order: string } | { reason: string }>> = {
  PRICE: { order: 'cheapest' },
  PREFER_SPOT: { order: 'spotFirst' },
  PREFER_ONDEMAND: { order: 'onDemandFirst' },
  FAIL: { reason: 'where several pools will do, the cheapest is taken' },
  RANDOM: { reason: 'machines are chosen by price, never by chance' },
  PERFORMANCE: { reason: 'machines are chosen by price; name fast ones in instance_types of the pool' },
  NETWORK: { reason: 'machines are chosen by price' },
  UTILIZATION: { reason: 'machines are chosen by price, which packs them as full as that is cheapest' },
};

function placement(source: Deployment, say: Hints) {
  const pools = source.nodepools
    ? source.nodepools.map((pool) => ({ pool, priority: undefined }))
    : (source.deployment_nodepools ?? []).map(({ nodepool: pool, priority }) => ({ pool, priority }));
  const { scheduling_choice: choice, autoscale_config: config } = source;
  const wanted = choice === undefined ? undefined : orders[choice];
  if (wanted && 'reason' in wanted) {
    say(['scheduling_choice'], `scheduling_choice ${choice} is not honoured: ${wanted.reason}`);
  }
  return {
    pools: pools.map(({ pool, priority }) =>
      withoutUndefined<unknown>({
        name: labelOf(pool.id),
        cluster: pool.compute_cluster ? labelOf(pool.compute_cluster.id) : undefined,
        priority,
      }),
    ),
    // With Clarifai the pool alone decides whether machines may be taken away.
    interruption: 'allowed',
    ...(wanted && 'order' in wanted ? { instances: { order: wanted.order } } : {}),
    ...(config.disable_packing ? { spread: [{ by: 'node', max: 1, required: true }] } : {}),
  };
}

/** What a replica asks for, from the model's own compute info. */
function resources({ worker: { model } }: Deployment, say: Hints) {
  const at: Path = model?.inference_compute_info
    ? ['worker', 'model', 'inference_compute_info']
    : ['worker', 'model', 'model_version', 'inference_compute_info'];
  const info: ComputeInfo | undefined = model?.inference_compute_info ?? model?.model_version?.inference_compute_info;
  if (!info) return {};
  for (const field of ['accelerator_type', 'accelerator_topology'] as const) {
    const value = info[field];
    if (value === undefined || value.length === 0) continue;
    say([...at, field], `${field} is not honoured: name pools whose machines have the GPUs it needs`);
  }
  const requests = withoutUndefined<unknown>({
    cpu: info.cpu_requests ?? info.cpu_limit,
    memory: info.cpu_memory_requests ?? info.cpu_memory,
    gpu: info.num_accelerators,
    // Both are of each GPU.
    gpuMemory: info.num_accelerators ? info.accelerator_memory : undefined,
  });
  const limits = withoutUndefined<unknown>({ cpu: info.cpu_limit, memory: info.cpu_memory });
  return Object.keys(requests).length === 0 ? {} : { resources: { requests, limits } };
}
