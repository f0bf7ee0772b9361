import { hostname } from 'node:os';
import type { OperatorFlags } from '../commands/operator.ts';
import type { EbbContext } from '../context.ts';
import { findDataDirectory } from '../dataDirectory.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure, messageOf } from '../failure.ts';
import { Interrupts } from '../interrupts.ts';
import { namesOf } from '../kubernetesInstall/settings.ts';
import { serviceLog } from '../kubernetes/serviceLog.ts';
import { leaseOf } from '../kubernetes/withCluster.ts';

const defaultHealthPort = 7070;
const namePattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Runs until it is told to end, or cannot go on. */
export async function operator(context: EbbContext, flags: OperatorFlags): Promise<ExitName> {
  const lease = readLease(flags.lease, context.env.POD_NAMESPACE);
  const { EBB_WATCH_NAMESPACE: watched } = context.env;
  const namespaces = flags.namespace ?? (watched ? [watched] : null);
  const namespace = namespaces && namesOf(namespaces);
  for (const name of namespace ?? []) checkName('--namespace', name);
  const nodePools = flags.nodePools ?? context.env.EBB_NODE_POOLS === 'true';
  if (nodePools && namespace !== null) {
    throw new Failure(
      'usage',
      'nodes are decided on by the pods of all namespaces: --node-pools and --namespace exclude each other',
    );
  }
  if (flags.catalogue !== undefined && !nodePools) {
    throw new Failure('usage', '--catalogue has the prices of nodes: it needs --node-pools');
  }
  const externalMetrics = flags.externalMetrics ?? context.env.EBB_EXTERNAL_METRICS === 'true';
  const isWarm = flags.warmth ?? context.env.EBB_WARMTH === 'true';
  // Only a pod is behind the Service that the API server asks.
  const podName = context.env.POD_IP === undefined ? null : hostname();
  const { path: dataDirectory } = findDataDirectory(flags.data, context.env, context.workingDirectory);
  const log = serviceLog(context);
  const interrupts = new Interrupts();
  try {
    const { isStoreTrouble, readStoreSettings, startClusterOperator } = await import('@ebb/controller');
    const { defaultSettings, externalMetricsPort } = await import('@ebb/kubernetes');
    const store = storeOf(() => readStoreSettings(context.env));
    const started = await startClusterOperator({
      kubeconfig: flags.kubeconfig ?? null,
      namespace,
      metrics: flags.metrics ?? context.env.EBB_METRICS !== 'false',
      lease,
      advice: flags.advice ?? context.env.EBB_ADVICE === 'true',
      nodePools: nodePools ? { catalogue: flags.catalogue ?? null } : null,
      externalMetrics: externalMetrics ? { port: externalMetricsPort, podName } : null,
      serveServices: flags.serveServices ?? context.env.EBB_SERVE_SERVICES === 'true',
      sizing: flags.sizing ?? context.env.EBB_SIZING === 'true',
      warmth: isWarm
        ? {
            pause: context.env.EBB_PAUSE_IMAGE || defaultSettings.pauseImage,
            tool: context.env.EBB_TOOL_IMAGE || defaultSettings.toolImage,
          }
        : null,
      dataDirectory,
      store,
      signal: interrupts.stop,
      // In a pod the kubelet asks from outside; anywhere else nobody has to.
      health: { host: context.env.POD_IP ?? '127.0.0.1', port: flags.apiPort ?? defaultHealthPort },
      log,
    }).catch((error: unknown) => {
      if (interrupts.stop.aborted) return null;
      throw new Failure('failed', `the operator cannot start: ${messageOf(error)}`, [
        isStoreTrouble(error)
          ? store
            ? 'is EBB_STORE_URL right, and may its user create the schema, or write to it? (docs/kubernetes-store.md)'
            : 'does --data name a folder that nobody else uses?'
          : 'does the kubeconfig name a cluster that answers, and may its user list pods, Deployments and StatefulSets?',
      ]);
    });
    // Told to end before it had begun.
    if (!started) return 'ok';
    log('info', 'the operator follows the cluster', { server: started.server, health: started.healthUrl });
    try {
      await Promise.race([interrupts.stopped(), started.done]);
    } finally {
      await started.stop();
    }
    log('info', 'the operator has ended; everything stays as it is');
    return 'ok';
  } finally {
    interrupts.dispose();
  }
}

function storeOf<Settings>(read: () => Settings): Settings {
  try {
    return read();
  } catch (error) {
    throw new Failure('usage', messageOf(error));
  }
}

function readLease(
  written: string | undefined,
  podNamespace: string | undefined,
): { namespace: string | null; name: string } {
  if (written === undefined) return { namespace: podNamespace ?? null, name: 'ebb' };
  const lease = leaseOf(written);
  for (const part of [lease.namespace, lease.name]) checkName('--lease', part);
  return lease;
}

function checkName(flag: string, name: string): void {
  if (namePattern.test(name)) return;
  throw new Failure('usage', `${flag}: "${name}" is not a name; write lower-case letters, digits, dots and dashes`);
}
