import { programs } from './installed.ts';
import type { KubernetesCluster } from './kubernetes.ts';
import { getPage } from './page.ts';
import { freePort } from './ports.ts';
import { Service } from './service.ts';
import { newServiceFolder } from './watchdog.ts';

class Karpenter extends Service {
  protected override async isReady(): Promise<boolean> {
    return (await getPage(`http://${this.address}/readyz`)).status === 200;
  }
}

/** Starts Karpenter's controller on a cluster that has its kinds: its machines are nodes of KWOK. */
export async function startKarpenter({ kubeconfig }: KubernetesCluster): Promise<Service> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  return new Karpenter({
    name: 'karpenter',
    folder: newServiceFolder('karpenter'),
    port,
    program: programs('karpenter').karpenter,
    args: [],
    env: {
      KUBECONFIG: kubeconfig,
      HEALTH_PROBE_PORT: String(port),
      METRICS_PORT: String(metricsPort),
      DISABLE_LEADER_ELECTION: 'true',
      BATCH_IDLE_DURATION: '100ms',
    },
    discardSignal: 'SIGKILL',
    readyWithinMs: 90_000,
  }).start();
}
