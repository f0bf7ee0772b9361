import { conditionOf, type JsonObject, listAt, numberAt, objectAt, textAt } from '../../client/values.ts';
import { gatewayName } from '../../manifests/settings.ts';
import type { ClusterCheck } from './doctor.ts';
import { type ClusterFacts, hasLabels, isAdviser, known, objectText, operatorOf } from './facts.ts';
import { unread } from './installation.ts';

const mostNamed = 3;

/** What of the cluster Ebb has to do with. */
export function checkSurroundings(facts: ClusterFacts): ClusterCheck[] {
  return [
    checkAutoscalers(facts),
    checkKeda(facts),
    checkMetrics(facts),
    ...checkDocuments(facts),
    checkNodes(facts),
    checkNodeScalers(facts),
    checkGateway(facts),
  ];
}

/** Of an HPA or a ScaledObject: `shop/Deployment/web`. */
function targetOf(object: JsonObject): string {
  const namespace = textAt(object, 'metadata', 'namespace') ?? '';
  const kind = textAt(object, 'spec', 'scaleTargetRef', 'kind') ?? 'Deployment';
  return `${namespace}/${kind}/${textAt(object, 'spec', 'scaleTargetRef', 'name') ?? ''}`;
}

/** A Workload scales the Deployment of its name, or what it says. */
function targetOfWorkload(workload: JsonObject): string {
  const namespace = textAt(workload, 'metadata', 'namespace') ?? '';
  const said = textAt(workload, 'metadata', 'annotations', 'ebb.dev/scale-target');
  return `${namespace}/${said ?? `Deployment/${textAt(workload, 'metadata', 'name') ?? ''}`}`;
}

/** Whether the operator writes to nothing that does not say so. */
function isAdvised({ deployments, namespace }: ClusterFacts): boolean {
  return isAdviser(operatorOf(known(deployments), namespace));
}

function checkAutoscalers(facts: ClusterFacts): ClusterCheck {
  const name = 'other scalers';
  const { autoscalers } = facts;
  if ('forbidden' in autoscalers) return unread(name, autoscalers.forbidden);
  const usual = isAdvised(facts) ? 'advice' : 'control';
  const isAdvice = (one: JsonObject) => (textAt(one, 'metadata', 'annotations', 'ebb.dev/mode') ?? usual) !== 'control';
  const wanted = new Map([
    ...known(facts.scaledObjects)
      .filter((one) => !isAdvice(one))
      .map((one): [string, string] => [targetOf(one), `ScaledObject ${objectText(one)}`]),
    ...known(facts.workloads)
      .filter((one) => !isAdvice(one))
      .map((one): [string, string] => [targetOfWorkload(one), `Workload ${objectText(one)}`]),
  ]);
  const both = autoscalers.value.flatMap((hpa) => {
    const other = wanted.get(targetOf(hpa));
    const isMeant = textAt(hpa, 'metadata', 'annotations', 'validations.keda.sh/hpa-ownership') === 'false';
    const isSilenced = textAt(hpa, 'metadata', 'annotations', 'ebb.dev/mode') === 'control';
    return other === undefined || isMeant || isSilenced ? [] : [`HPA ${objectText(hpa)} and ${other}`];
  });
  if (both.length === 0) {
    const count = autoscalers.value.length;
    const found = count === 0 ? 'none' : `${plural(count, 'HPA')}, none on a target of Ebb's`;
    return { name, state: 'ok', found, hint: null };
  }
  const hint = 'Ebb leaves such a target alone. Switch KEDA off and delete the HPA it made, or delete the ScaledObject';
  return { name, state: 'bad', found: `on one target: ${some(both)}`, hint };
}

function checkKeda(facts: ClusterFacts): ClusterCheck {
  const { deployments, groups, scaledObjects } = facts;
  const name = 'KEDA';
  if (!groups.includes('keda.sh')) return { name, state: 'ok', found: 'its kinds are not there', hint: null };
  const count = plural(known(scaledObjects).length, 'ScaledObject');
  const running = known(deployments).filter(
    (one) =>
      (textAt(one, 'metadata', 'name') === 'keda-operator' ||
        hasLabels(one, { 'app.kubernetes.io/name': 'keda-operator' })) &&
      (numberAt(one, 'spec', 'replicas') ?? 1) > 0,
  );
  if (running.length === 0) return { name, state: 'ok', found: `${count}; KEDA itself is switched off`, hint: null };
  const [first] = running;
  if (isAdvised(facts)) {
    const found = `${count}; KEDA runs, and Ebb advises beside it: ${objectText(first)}`;
    return { name, state: 'ok', found, hint: null };
  }
  const hint = `kubectl scale deployment ${textAt(first, 'metadata', 'name') ?? ''} --namespace ${textAt(first, 'metadata', 'namespace') ?? ''} --replicas 0, or let Ebb only advise (ebb.dev/mode: advice)`;
  return { name, state: 'hint', found: `${count}; KEDA runs beside Ebb: ${objectText(first)}`, hint };
}

function checkMetrics({ apiServices, groups }: ClusterFacts): ClusterCheck {
  const name = 'metrics APIs';
  const wanted = ['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io'];
  const services = known(apiServices).filter((one) => wanted.includes(textAt(one, 'spec', 'group') ?? ''));
  const broken = services.filter((one) => conditionOf(one, 'Available')?.status === 'False');
  if (broken.length > 0) {
    const why = broken.map((one) => `${objectText(one)}: ${textAt(conditionOf(one, 'Available'), 'message') ?? ''}`);
    return {
      name,
      state: 'hint',
      found: `do not answer: ${some(why)}`,
      hint: 'whoever serves it is away; discovery by kubectl is slow meanwhile',
    };
  }
  const there = wanted.filter((one) => groups.includes(one));
  if (there.includes('metrics.k8s.io')) return { name, state: 'ok', found: there.join(', '), hint: null };
  const hint = 'without metrics-server nobody can say what pods use: cpu and memory cannot be targets';
  return { name, state: 'hint', found: there.length > 0 ? `${there.join(', ')} without metrics.k8s.io` : 'none', hint };
}

function checkDocuments({ scaledObjects, workloads }: ClusterFacts): ClusterCheck[] {
  const check = (name: string, read: ClusterFacts['workloads'], type: string): ClusterCheck => {
    if ('forbidden' in read) return unread(name, read.forbidden);
    const wrong = read.value.flatMap((object) => {
      const condition = conditionOf(object, type);
      if (condition?.status !== 'False') return [];
      return [`${objectText(object)}: ${textAt(condition, 'message') || (textAt(condition, 'reason') ?? '')}`];
    });
    const unseen = read.value.filter((object) => listAt(object, 'status', 'conditions').length === 0);
    if (wrong.length > 0)
      return {
        name,
        state: 'bad',
        found: `${wrong.length} of ${read.value.length} with a problem: ${some(wrong)}`,
        hint: 'kubectl describe shows each condition',
      };
    if (unseen.length > 0)
      return {
        name,
        state: 'hint',
        found: `${unseen.length} of ${read.value.length} not looked at yet: ${some(unseen.map(objectText))}`,
        hint: 'an operator that decides writes a status within ten seconds',
      };
    return {
      name,
      state: 'ok',
      found: read.value.length === 0 ? 'none' : `${read.value.length}, all well`,
      hint: null,
    };
  };
  return [check('ScaledObjects', scaledObjects, 'Ready'), check('Workloads', workloads, 'Available')];
}

const gpuResources = ['nvidia.com/gpu', 'amd.com/gpu', 'gpu.intel.com/i915', 'gpu.intel.com/xe'];

function checkNodes({ nodes }: ClusterFacts): ClusterCheck {
  const name = 'nodes';
  if ('forbidden' in nodes) return unread(name, nodes.forbidden);
  const ready = nodes.value.filter((one) => conditionOf(one, 'Ready')?.status === 'True');
  const gpus = gpuResources.flatMap((resource) => {
    const own = ready
      .map((one) => Number(textAt(one, 'status', 'allocatable', resource) ?? 0))
      .filter((count) => count > 0);
    const sum = own.reduce((total, count) => total + count, 0);
    return sum > 0 ? [`${sum} ${resource} on ${own.length}`] : [];
  });
  const found = `${ready.length} of ${nodes.value.length} ready; ${gpus.length > 0 ? gpus.join(', ') : 'no GPUs'}`;
  const unserved = ready.filter(
    (one) =>
      hasLabels(one, { 'nvidia.com/gpu.present': 'true' }) &&
      !Object.keys(objectAt(one, 'status', 'allocatable')).some((resource) => resource.startsWith('nvidia.com/')),
  );
  if (ready.length === 0) return { name, state: 'bad', found, hint: 'no pod can run: kubectl get nodes' };
  if (unserved.length > 0) {
    return {
      name,
      state: 'hint',
      found: `${found}; GPUs that nobody gives out on ${some(unserved.map(objectText))}`,
      hint: 'the device plugin of NVIDIA is missing there, or fails',
    };
  }
  return { name, state: 'ok', found, hint: null };
}

function checkNodeScalers({ groups, nodePools, deployments }: ClusterFacts): ClusterCheck {
  const name = 'node scalers';
  const karpenter = groups.includes('karpenter.sh')
    ? [`Karpenter with ${plural(known(nodePools).length, 'NodePool')}`]
    : [];
  const classic = known(deployments)
    .filter((one) => /cluster-autoscaler/.test(textAt(one, 'metadata', 'name') ?? ''))
    .map((one) => `Cluster Autoscaler ${objectText(one)}`);
  const all = [...karpenter, ...classic];
  if (all.length > 0) return { name, state: 'ok', found: all.join(', '), hint: null };
  return { name, state: 'ok', found: 'none: nodes are as many as there are', hint: null };
}

function checkGateway({ deployments }: ClusterFacts): ClusterCheck {
  const name = 'gateway';
  const own = known(deployments).filter(
    (one) => textAt(one, 'metadata', 'name') === gatewayName && hasLabels(one, { 'app.kubernetes.io/part-of': 'ebb' }),
  );
  if (own.length === 0) return { name, state: 'ok', found: 'none', hint: null };
  const states = own.map((one) => {
    const [ready, wanted] = [numberAt(one, 'status', 'readyReplicas') ?? 0, numberAt(one, 'spec', 'replicas') ?? 1];
    return { isReady: ready >= wanted, text: `${objectText(one)} ${ready} of ${wanted} ready` };
  });
  const found = states.map(({ text }) => text).join(', ');
  if (states.every(({ isReady }) => isReady)) return { name, state: 'ok', found, hint: null };
  return {
    name,
    state: 'bad',
    found,
    hint: 'requests for what is at zero wait for a gateway: kubectl describe the Deployment',
  };
}

/** `1 HPA`, `2 HPAs`. */
function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** The first few, and how many more. */
function some(texts: readonly string[]): string {
  const rest = texts.length - mostNamed;
  return texts.slice(0, mostNamed).join('; ') + (rest > 0 ? ` and ${rest} more` : '');
}
