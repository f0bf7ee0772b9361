import { gatewayPodLabels, linkPortName } from '../gateways/gatewayPods.ts';
import { linkSecretKey, linkSecretName } from '../gateways/linkSecret.ts';
import { containerSecurity, fromField, podSecurity, probes, sharesNothing, temporary } from './podParts.ts';
import {
  gatewayName,
  gatewayPorts,
  healthPort,
  installLabels,
  type InstallSettings,
  type Manifest,
  podLabels,
} from './settings.ts';

const secretDirectory = '/run/ebb/link';
/** New requests are taken for this long after a pod is to end, until every proxy of the cluster has heard of it. */
const noticeSeconds = 5;
/** Streams are waited for so long then. */
const graceSeconds = 300;
/** For the last bytes. */
const lastSeconds = 25;

/** Requests and limits of a gateway pod: bodies of requests that wait are in its memory. */
export const gatewayResources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '1Gi' } };
export const gatewayReplicas = 2;

/** The gateways: their Deployment and Service, and a budget that keeps one of them when nodes are emptied. */
export function gatewayManifests(settings: InstallSettings): Manifest[] {
  const { namespace } = settings;
  const metadata = { name: gatewayName, namespace, labels: installLabels };
  return [
    // One that nothing is granted to.
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        selector: gatewayPodLabels,
        ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: gatewayPodLabels } },
    },
    deployment(settings),
  ];
}

function deployment(settings: InstallSettings): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: gatewayName, namespace: settings.namespace, labels: installLabels },
    spec: {
      replicas: gatewayReplicas,
      // A new one is ready, and knows all routes, before an old one goes.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: gatewayPodLabels },
      template: {
        metadata: { labels: { ...installLabels, ...gatewayPodLabels } },
        spec: {
          serviceAccountName: gatewayName,
          automountServiceAccountToken: false,
          ...sharesNothing,
          terminationGracePeriodSeconds: noticeSeconds + graceSeconds + lastSeconds,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: gatewayPodLabels },
            },
          ],
          securityContext: podSecurity,
          containers: [container(settings)],
          volumes: [
            // The operator makes it; pods wait for it.
            { name: 'link', secret: { secretName: linkSecretName, defaultMode: 0o440 } },
            temporary.volume,
          ],
        },
      },
    },
  };
}

function container({ image, imagePullPolicy }: InstallSettings) {
  const { http, link } = gatewayPorts;
  return {
    name: 'gateway',
    image,
    imagePullPolicy,
    args: [
      'gateway',
      ...['--port', String(http), '--link-port', String(link), '--health-port', String(healthPort)],
      ...['--link-secret', `${secretDirectory}/${linkSecretKey}`],
      ...['--notice', `${noticeSeconds}s`, '--grace', `${graceSeconds}s`],
    ],
    env: [fromField('POD_NAME', 'metadata.name'), fromField('POD_IP', 'status.podIP')],
    ports: [
      { name: 'http', containerPort: http },
      { name: linkPortName, containerPort: link },
      { name: 'health', containerPort: healthPort },
    ],
    ...probes({ periodSeconds: 1, failureThreshold: 1 }),
    resources: gatewayResources,
    securityContext: containerSecurity,
    volumeMounts: [{ name: 'link', mountPath: secretDirectory, readOnly: true }, temporary.mount],
  };
}

/** An example: requests come from anywhere, the link is for operators alone, and out go names and pods. */
export function gatewayNetworkPolicy({ namespace }: InstallSettings): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: gatewayName, namespace, labels: installLabels },
    spec: {
      podSelector: { matchLabels: gatewayPodLabels },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { ports: [{ protocol: 'TCP', port: gatewayPorts.http }] },
        {
          from: [{ podSelector: { matchLabels: podLabels } }],
          ports: [{ protocol: 'TCP', port: gatewayPorts.link }],
        },
      ],
      egress: [{ to: [{ namespaceSelector: {} }] }],
    },
  };
}
