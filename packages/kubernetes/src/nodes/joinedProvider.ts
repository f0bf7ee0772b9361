import {
  type NodeEvent,
  type NodeLaunch,
  type NodeObservation,
  type Provider,
  ProviderError,
  type Taint,
} from '@ebb/core';
import { keyText, type NodePoolSpec } from '@ebb/documents';
import { isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { listAt, objectAt, textAt } from '../client/values.ts';
import type { Drainer } from './drainer.ts';
import { capacityLabel, clusterLabel, hostnameLabel, nodeLabel, poolLabel, poolLabelValue } from './labels.ts';
import { allocatable, isReady, taintsOf } from './nodeState.ts';
import type { SeenNodes } from './nodesView.ts';

export interface JoinedProviderOptions {
  readonly inner: Provider;
  readonly cluster: string;
  pools(): readonly NodePoolSpec[];
  readonly view: SeenNodes;
  readonly drainer: Drainer;
  readonly client: Pick<KubernetesClient, 'mergePatch' | 'delete'>;
  /** Whether a machine of the type has GPUs, which its node must show before pods come. */
  hasGpus(instanceType: string): boolean;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

/** On a node whose labels and taints were put on, so that a startup taint that was taken off is not put on again. */
const joinedAnnotation = 'ebb.dev/joined';
/** Resources of which one is enough: GPUs whole, shown several times, or cut. */
const gpuResource = /^(nvidia\.com\/(gpu|gpu\.shared|mig-.+)|amd\.com\/gpu)$/;

/**
 * A provider whose machines are ready when their nodes are: joined, ready, without startup taints, and showing their GPUs. Nodes get the
 * labels and taints of their pool. A machine ends when its node is closed and empty, and its Node goes after it.
 */
export function joinedProvider(options: JoinedProviderOptions): Provider {
  const { inner, view, drainer, client, cluster, log } = options;
  const listeners = new Map<(event: NodeEvent) => void, Map<string, string>>();
  const machines = new Map<string, NodeObservation>();
  const joining = new Set<string>();

  /** Finds the nodes of machines, among those that there are now. */
  function finder(): (machine: NodeObservation) => KubernetesObject | null {
    const nodes = view.nodes.list();
    const marked = new Map<string | undefined, KubernetesObject>();
    for (const node of nodes) if (node.labels[clusterLabel] === cluster) marked.set(node.labels[nodeLabel], node);
    return ({ id, providerId }) => {
      const byMark = id === null ? undefined : marked.get(id);
      if (byMark) return byMark;
      return nodes.find((node) => providerId !== null && isMachine(node, providerId)) ?? null;
    };
  }

  function seen(machine: NodeObservation, nodeOf = finder()): NodeObservation {
    if (machine.phase !== 'ready') return machine;
    const node = nodeOf(machine);
    const why = node === null ? 'its node has not joined the cluster' : whyNotReady(node, machine);
    if (why === null) return machine;
    const wasReady = node !== null && Object.hasOwn(node.annotations, joinedAnnotation) && !isReady(node);
    return { ...machine, phase: 'running', message: why, failure: wasReady ? 'unreachable' : machine.failure };
  }

  function whyNotReady(node: KubernetesObject, machine: NodeObservation): string | null {
    if (!isReady(node)) return `its node ${node.name} is not ready`;
    const startup = poolOf(machine)?.startupTaints ?? [];
    const left = startup.find((taint) => taintsOf(node).some((one) => isSame(one, taint)));
    if (left) return `its node ${node.name} has the startup taint ${left.key} still`;
    if (!Object.hasOwn(node.annotations, joinedAnnotation)) return `its node ${node.name} is being labelled`;
    if (options.hasGpus(machine.offering.instanceType) && !showsGpus(node))
      return `its node ${node.name} shows no GPU yet`;
    return null;
  }

  const poolOf = ({ pool }: NodeObservation) => options.pools().find(({ key }) => keyText(key) === pool) ?? null;

  /** Labels and taints of the pool, once. */
  async function join(machine: NodeObservation, node: KubernetesObject): Promise<void> {
    const { id, pool } = machine;
    const spec = poolOf(machine);
    if (id === null || pool === null || !spec || !options.mayWrite() || joining.has(node.uid)) return;
    if (Object.hasOwn(node.annotations, joinedAnnotation)) return;
    joining.add(node.uid);
    const there = taintsOf(node);
    // Karpenter brings the taints of its claims along; one that is gone already was taken off by whom it was meant for.
    const taints =
      inner.name === 'karpenter'
        ? []
        : [...spec.taints, ...spec.startupTaints].filter((one) => !there.some((has) => isSame(has, one)));
    try {
      await client.mergePatch(resources.nodes, node, {
        metadata: {
          labels: {
            ...spec.nodeLabels,
            [clusterLabel]: cluster,
            [nodeLabel]: id,
            [poolLabel]: poolLabelValue(pool),
            [capacityLabel]: machine.offering.capacityType,
          },
          annotations: { [joinedAnnotation]: 'true' },
          // A list is written as a whole, with fields that Ebb does not read: what others have changed since is not lost.
          ...(taints.length > 0 ? { resourceVersion: node.resourceVersion } : {}),
        },
        ...(taints.length > 0
          ? { spec: { taints: [...listAt(node.body, 'spec', 'taints'), ...taints.map(written)] } }
          : {}),
      });
    } catch (error) {
      if (!isStatus(error, 404) && !isStatus(error, 409)) {
        log('warn', 'a node did not get its labels', { node: node.name, error: String(error) });
      }
    } finally {
      joining.delete(node.uid);
    }
  }

  function tell(listener: (event: NodeEvent) => void, told: Map<string, string>, now: NodeObservation): void {
    const text = JSON.stringify(now);
    if (told.get(keyOf(now)) === text) return;
    told.set(keyOf(now), text);
    listener({ type: 'node', node: now });
  }

  function take(machine: NodeObservation, nodeOf = finder()): void {
    if (machine.phase === 'gone') {
      machines.delete(keyOf(machine));
      void removeNode(nodeOf(machine));
    } else {
      machines.set(keyOf(machine), machine);
      const node = machine.phase === 'stopping' ? null : nodeOf(machine);
      if (node) void join(machine, node);
    }
  }

  /** Where nobody else removes the Node of a machine that is gone. */
  async function removeNode(node: KubernetesObject | null): Promise<void> {
    if (!node || !options.mayWrite() || node.labels[clusterLabel] !== cluster || inner.name === 'karpenter') return;
    try {
      await client.delete(resources.nodes, node, { uid: node.uid });
    } catch (error) {
      log('warn', 'the node of a machine that is gone could not be removed', { node: node.name, error: String(error) });
    }
  }

  const unlisten = view.listen((kind) => {
    if (kind !== 'node') return;
    const nodeOf = finder();
    for (const machine of machines.values()) {
      const node = nodeOf(machine);
      if (node && machine.phase !== 'stopping') void join(machine, node);
      const now = seen(machine, nodeOf);
      for (const [listener, told] of listeners) tell(listener, told, now);
    }
  });

  return {
    name: inner.name,
    launch: (launch: NodeLaunch) => inner.launch(launch),
    async terminate(node) {
      if ('id' in node && machines.get(`id ${node.id}`)?.notice?.kind !== 'interruption') {
        const left = await drainer.close(node.id);
        if (left > 0) throw new ProviderError('unavailable', `${left} pods have come to ${node.id} and leave first`);
      }
      await inner.terminate(node);
    },
    async list() {
      const listed = await inner.list();
      const nodeOf = finder();
      return listed.map((machine) => seen(machine, nodeOf));
    },
    watch(listener) {
      const own = (event: NodeEvent) => listener(event);
      const told = new Map<string, string>();
      listeners.set(own, told);
      const unwatch = inner.watch((event) => {
        if (event.type === 'disconnected') return own(event);
        if (event.type === 'node') {
          take(event.node);
          if (event.node.phase !== 'gone') return tell(own, told, seen(event.node));
          told.delete(keyOf(event.node));
          return own(event);
        }
        machines.clear();
        told.clear();
        const nodeOf = finder();
        for (const machine of event.nodes) take(machine, nodeOf);
        const nodes = event.nodes.map((machine) => seen(machine, nodeOf));
        for (const [index, machine] of event.nodes.entries()) told.set(keyOf(machine), JSON.stringify(nodes[index]));
        own({ type: 'snapshot', nodes });
      });
      return () => {
        listeners.delete(own);
        unwatch();
      };
    },
    async close() {
      unlisten();
      listeners.clear();
      await inner.close();
    },
  };
}

/** `aws:///us-east-1a/i-0abc` is the machine `i-0abc`; one's own are known by their names. */
function isMachine(node: KubernetesObject, providerId: string): boolean {
  const own = (textAt(node.body, 'spec', 'providerID') ?? '').toLowerCase();
  const asked = providerId.toLowerCase();
  if (own !== '') return own === asked || own.endsWith(`/${asked.replace(/^.*:\/+/, '')}`);
  return node.name === providerId || node.labels[hostnameLabel] === providerId;
}

function showsGpus(node: KubernetesObject): boolean {
  const offered = Object.keys(objectAt(node.body, 'status', 'allocatable'));
  return offered.some((name) => gpuResource.test(name) && allocatable(node, name) > 0);
}

function isSame(left: Pick<Taint, 'key' | 'effect'>, right: Pick<Taint, 'key' | 'effect'>): boolean {
  return left.key === right.key && left.effect === right.effect;
}

function written({ key, value, effect }: Taint): Record<string, string> {
  return value === '' ? { key, effect } : { key, value, effect };
}

function keyOf({ id, providerId }: NodeObservation): string {
  return id === null ? `provider ${providerId}` : `id ${id}`;
}
