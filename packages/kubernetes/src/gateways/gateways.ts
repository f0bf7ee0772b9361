import type { Clock } from '@ebb/core';
import type { KubernetesClient } from '../client/client.ts';
import { eachNamespace, type Namespaces, resources } from '../client/resources.ts';
import { Informer } from '../informer/informer.ts';
import type { ConnectGateway } from './connection.ts';
import { GatewayFleet, type GatewayFleetOptions } from './fleet.ts';
import { followGatewayPods, gatewaySelector } from './gatewayPods.ts';
import { LinkSecret } from './linkSecret.ts';

/** What the operator needs to reach gateways. Without it there are none, whatever pods there are. */
export interface GatewayPorts {
  readonly connect: ConnectGateway;
  /** Something that nobody can guess. */
  newSecret(): string;
  /** Whether endpoints of Services with the label `ebb.dev/gateway: serve` are kept; left out: they are not. */
  readonly serveServices?: boolean;
}

export interface GatewaysOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly ports: GatewayPorts;
  readonly epoch: number;
  /** The operator's own: gateways run there, beside it. */
  readonly namespace: string;
  /** Pods that are followed already, and of which namespaces. */
  readonly followed: { readonly pods: Informer; readonly namespace: Namespaces };
  serves(workload: string): boolean;
  /** What is known of requests that go past the gateways; left out: none do. */
  readonly direct?: Required<Pick<GatewayFleetOptions, 'servicesOf' | 'isReached'>>;
  mayWrite(): boolean;
  log(level: 'info' | 'warn', message: string, data?: Record<string, unknown>): void;
}

export interface Gateways {
  readonly fleet: GatewayFleet;
  /** The pods among which gateways are. */
  readonly pods: Informer;
  close(): Promise<void>;
}

/** The gateways of a cluster, for as long as this process leads. Resolves once those that run are known. */
export async function followGateways(options: GatewaysOptions): Promise<Gateways> {
  const { client, clock, ports, epoch, namespace, followed, serves, mayWrite, log } = options;
  const secret = new LinkSecret({ client, namespace, newSecret: () => ports.newSecret() });
  const fleet = new GatewayFleet({
    clock,
    serves,
    ...options.direct,
    mayWrite,
    log,
    async connect(place) {
      const call = { ...place, secret: await secret.read(), epoch };
      try {
        return await ports.connect(call);
      } catch (error) {
        if (error instanceof Error && error.name === 'LinkRefusedError') secret.forget();
        throw error;
      }
    },
  });
  const isSeen = eachNamespace(followed.namespace).some((one) => one === null || one === namespace);
  const own = isSeen
    ? null
    : new Informer({
        client,
        resource: resources.pods,
        namespace,
        labelSelector: gatewaySelector.text,
        onTrouble: (message) => log('warn', 'the API server is asked again', { error: message }),
      });
  await own?.start().synced;
  let isMade = false;
  const unfollow = followGatewayPods({
    pods: own ?? followed.pods,
    namespace,
    onPod() {
      if (isMade || !mayWrite()) return;
      isMade = true;
      // Pods wait for it before they can start.
      secret.read().catch((error: unknown) => {
        isMade = false;
        log('warn', 'the secret of the gateways cannot be read or made', { error: String(error) });
      });
    },
    found: (gateway) => fleet.found(gateway),
    lost: (name) => fleet.lost(name),
  });
  return {
    fleet,
    pods: own ?? followed.pods,
    async close() {
      unfollow();
      await own?.close();
      await fleet.close();
    },
  };
}
