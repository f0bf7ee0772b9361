import { storeParts } from './operatorStore.ts';
import { containerSecurity, fromField, podSecurity, probes, sharesNothing, temporary } from './podParts.ts';
import { healthPort, installLabels, installName, type InstallSettings, type Manifest, podLabels } from './settings.ts';

/** The operator's Deployment, with the volume of its embedded store, or a disruption budget where several share one. No Service: nobody asks it but the kubelet. */
export function operatorManifests(settings: InstallSettings): Manifest[] {
  return [storeParts(settings).beside, deployment(settings)];
}

function deployment(settings: InstallSettings): Manifest {
  const { namespace } = settings;
  const store = storeParts(settings);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: installName, namespace, labels: installLabels },
    spec: {
      ...store.deployment,
      selector: { matchLabels: podLabels },
      template: {
        metadata: { labels: { ...settings.podLabels, ...installLabels, ...podLabels } },
        spec: {
          serviceAccountName: installName,
          automountServiceAccountToken: true,
          ...sharesNothing,
          securityContext: podSecurity,
          ...store.pod,
          containers: [container(settings)],
          volumes: [...store.volumes, temporary.volume],
        },
      },
    },
  };
}

/**
 * glibc keeps an arena for each thread, and raises by itself what it holds back of freed memory: after the burst of a start it would keep
 * a fifth more than is used. Other C libraries read none of these.
 */
const smallAllocator: readonly { readonly name: string; readonly value: string }[] = [
  { name: 'MALLOC_ARENA_MAX', value: '1' },
  { name: 'MALLOC_MMAP_THRESHOLD_', value: '65536' },
  { name: 'MALLOC_TRIM_THRESHOLD_', value: '131072' },
];

function container(settings: InstallSettings) {
  const { image, imagePullPolicy, cpuRequest, memoryRequest, memoryLimit, watchNamespace, metrics } = settings;
  const store = storeParts(settings);
  return {
    name: 'operator',
    image,
    imagePullPolicy,
    args: ['operator', '--api-port', String(healthPort)],
    env: [
      ...store.env,
      { name: 'EBB_WATCH_NAMESPACE', value: watchNamespace },
      { name: 'EBB_METRICS', value: metrics },
      { name: 'EBB_NODE_POOLS', value: settings.nodePools },
      { name: 'EBB_EXTERNAL_METRICS', value: settings.externalMetrics },
      { name: 'EBB_SERVE_SERVICES', value: settings.serveServices },
      { name: 'EBB_SIZING', value: settings.sizing },
      { name: 'EBB_WARMTH', value: settings.warmth },
      { name: 'EBB_PAUSE_IMAGE', value: settings.pauseImage },
      { name: 'EBB_TOOL_IMAGE', value: settings.toolImage },
      { name: 'EBB_ADVICE', value: settings.advice },
      ...smallAllocator,
      // Where its lease is, and where the kubelet finds it.
      fromField('POD_NAMESPACE', 'metadata.namespace'),
      fromField('POD_IP', 'status.podIP'),
    ],
    ports: [{ name: 'health', containerPort: healthPort }],
    ...probes({ periodSeconds: 2, failureThreshold: 2 }),
    // No limit of CPU: a decision that waits for the next period would be late for nothing.
    resources: { requests: { cpu: cpuRequest, memory: memoryRequest }, limits: { memory: memoryLimit } },
    securityContext: containerSecurity,
    volumeMounts: [...store.mounts, temporary.mount],
  };
}

/**
 * An example, to be fitted to a cluster: nothing comes in (the node of a pod is let through by every NetworkPolicy, so the
 * kubelet can ask), and out go names, the Kubernetes API, replicas and the sources of triggers.
 */
export function networkPolicy({ namespace }: InstallSettings): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: installName, namespace, labels: installLabels },
    spec: {
      podSelector: { matchLabels: podLabels },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
        // The Kubernetes API: its own port behind the Service's.
        {
          ports: [
            { protocol: 'TCP', port: 443 },
            { protocol: 'TCP', port: 6443 },
          ],
        },
        // Replicas and brokers within the cluster.
        { to: [{ namespaceSelector: {} }] },
      ],
    },
  };
}
