import { customResourceDefinition, kindOf, ownKindNames, yamlText } from '@ebb/documents';
import { externalMetricsManifests, externalMetricsNetworkPolicy } from './externalMetrics.ts';
import { gatewayManifests, gatewayNetworkPolicy, gatewayReplicas, gatewayResources } from './gateway.ts';
import { type OptionalPart, optionalPartNames, optionalParts, partAccess } from './optionalParts.ts';
import { networkPolicy, operatorManifests } from './operator.ts';
import {
  accessManifests,
  clusterAccess,
  credentialManifests,
  followedAccess,
  nodeAccess,
  ownAccess,
  scaleKindAccess,
} from './rbac.ts';
import {
  defaultSettings,
  installLabels,
  installVersion,
  type InstallSettings,
  type Manifest,
  podLabels,
} from './settings.ts';

const generated = '# Generated from packages/kubernetes/src/manifests; do not edit.\n';

/** Where each setting stands in the chart's values. */
const values = {
  image: { repository: 'localhost/ebb', tag: installVersion, pullPolicy: defaultSettings.imagePullPolicy },
  storage: { size: defaultSettings.storageSize, className: defaultSettings.storageClass },
  store: { postgresSecret: defaultSettings.postgresSecret },
  resources: {
    requests: { cpu: defaultSettings.cpuRequest, memory: defaultSettings.memoryRequest },
    limits: { memory: defaultSettings.memoryLimit },
  },
  readNamespaces: [] as string[],
  scaleKinds: [] as string[],
  watchNamespace: defaultSettings.watchNamespace,
  serviceAccount: { annotations: {} },
  podLabels: {},
  metrics: { enabled: true },
  nodePools: { enabled: false },
  externalMetrics: { enabled: false },
  serveServices: { enabled: false },
  sizing: { enabled: false },
  warmth: { enabled: false, pauseImage: defaultSettings.pauseImage, toolImage: defaultSettings.toolImage },
  advice: false,
  takeOver: false,
  gateway: { enabled: true, replicas: gatewayReplicas, resources: gatewayResources },
  networkPolicy: { enabled: false },
  nodeSelector: {},
  tolerations: [] as unknown[],
};

/** The settings, with a template in the place of each. */
const templated: InstallSettings = {
  // Of the root: it stands within loops too.
  namespace: '{{ $.Release.Namespace }}',
  image: '{{ .Values.image.repository }}:{{ .Values.image.tag }}',
  imagePullPolicy: '{{ .Values.image.pullPolicy }}',
  storageSize: '{{ .Values.storage.size }}',
  storageClass: '',
  postgresSecret: '',
  cpuRequest: '{{ .Values.resources.requests.cpu }}',
  memoryRequest: '{{ .Values.resources.requests.memory }}',
  memoryLimit: '{{ .Values.resources.limits.memory }}',
  readNamespaces: [],
  scaleKinds: [],
  watchNamespace: '{{ nospace .Values.watchNamespace }}',
  serviceAccountAnnotations: {},
  podLabels: {},
  metrics: '{{ .Values.metrics.enabled }}',
  nodePools: '{{ .Values.nodePools.enabled }}',
  externalMetrics: '{{ .Values.externalMetrics.enabled }}',
  serveServices: '{{ .Values.serveServices.enabled }}',
  sizing: '{{ .Values.sizing.enabled }}',
  warmth: '{{ .Values.warmth.enabled }}',
  pauseImage: '{{ .Values.warmth.pauseImage }}',
  toolImage: '{{ .Values.warmth.toolImage }}',
  advice: '{{ .Values.advice }}',
  takeOver: '{{ .Values.takeOver }}',
};

/** Where Ebb gets the rights of advice alone. */
const adviceOnly = 'and $.Values.advice (not $.Values.takeOver)';
const withGateways = `and .Values.gateway.enabled (not (${adviceOnly}))`;

/** Files of the Helm chart, with their paths from its folder. The same objects as `installManifests` gives. */
export function chartFiles(): { path: string; text: string }[] {
  return [
    { path: 'Chart.yaml', text: generated + yamlText([chart]) },
    { path: 'values.yaml', text: valuesText() },
    ...ownKindNames.map((name) => ({
      path: `crds/${kindOf(name).plural}.yaml`,
      text: generated + yamlText([customResourceDefinition(name)]),
    })),
    { path: 'templates/access.yaml', text: generated + accessText() + otherNamespaces() + otherKinds() },
    {
      path: 'templates/operator.yaml',
      text: generated + operatorText(),
    },
    {
      path: 'templates/externalmetrics.yaml',
      text: externalMetricsText(),
    },
    ...optionalPartNames.map((part) => ({ path: `templates/${part.toLowerCase()}.yaml`, text: partText(part) })),
    {
      path: 'templates/gateway.yaml',
      text: `${generated}{{- if ${withGateways} }}\n${templateText(gatewayManifests(templated).map(asGatewayChosen))}{{- end }}\n`,
    },
    {
      path: 'templates/networkpolicy.yaml',
      text: `${generated}{{- if .Values.networkPolicy.enabled }}\n${templateText([networkPolicy(templated)])}{{- if ${withGateways} }}\n---\n${templateText([gatewayNetworkPolicy(templated)])}{{- end }}\n{{- end }}\n`,
    },
  ];
}

const chart = {
  apiVersion: 'v2',
  name: 'ebb',
  description: 'Autoscaling and compute orchestration for AI inference: replicas to zero and back by real demand.',
  type: 'application',
  version: installVersion,
  appVersion: installVersion,
  kubeVersion: '>=1.29.0-0',
};

function valuesText(): string {
  const told: Readonly<Record<keyof typeof values, string>> = {
    image: 'No image is published: build it with the Containerfile and push it where the cluster finds it.',
    storage: 'Volume of the embedded store. An empty className takes the default class.',
    store:
      'Secret with the key url of a PostgreSQL database, for two operators and no volume; empty: the embedded store.',
    resources: 'Of the operator; replicas have their own.',
    readNamespaces: 'Other namespaces whose Secrets and ConfigMaps triggers may be read from, one Role each.',
    scaleKinds: 'Other kinds whose scale may be written, as group/resource, such as argoproj.io/rollouts.',
    watchNamespace:
      'Namespaces whose objects are followed, with commas between them and a Role in each in the place of the ClusterRole; empty: all of them.',
    serviceAccount: 'Annotations by which a cloud gives the operator an identity (docs/kubernetes-gitops.md).',
    podLabels: "Added to those of the operator's pods.",
    metrics: 'Whether /metrics answers on the health port.',
    nodePools: 'Whether nodes are made and ended as Clusters and NodePools say; not together with watchNamespace.',
    externalMetrics:
      'Whether Ebb serves the external metrics API, of which a cluster has one (docs/kubernetes-metrics.md).',
    advice:
      'Whether Ebb decides beside who is in charge, with no right to write to a target and no gateways (docs/kubernetes-migration.md).',
    takeOver: 'Beside advice, the rights to be in charge of single objects by ebb take-over.',
    serveServices:
      'Whether endpoints of Services are kept, so that gateways can be out of the path (docs/kubernetes-gateway.md).',
    sizing: 'Whether pods are sized as Workloads say (docs/kubernetes-sizing.md).',
    warmth: 'Whether images and room are kept for targets whose annotations ask for it (docs/kubernetes-warmth.md).',
    gateway:
      'Holds and balances the requests of workloads, so that they may go to zero. One replica is enough for trying.',
    networkPolicy: 'An example to fit to the cluster.',
    nodeSelector: 'Where the operator may run.',
    tolerations: 'Taints that the operator bears.',
  };
  const parts = Object.entries(values).map(
    ([name, value]) => `# ${told[name as keyof typeof values]}\n${yamlText([{ [name]: value }])}`,
  );
  return generated + parts.join('\n');
}

/** Objects as YAML in which templates stand where they are to be filled in. */
function templateText(manifests: readonly Manifest[]): string {
  // A template that gives JSON stands without quotes; all others are texts.
  return yamlText(manifests).replaceAll(/"(\{\{ toJson [^}"]* \}\})"/g, '$1');
}

/** The operator with a database, or with a volume. */
function operatorText(): string {
  const of = (postgresSecret: string) =>
    templateText(operatorManifests({ ...templated, postgresSecret }).map(withPlacement));
  return [
    '{{- if .Values.store.postgresSecret }}\n',
    of('{{ .Values.store.postgresSecret }}'),
    '{{- else }}\n',
    of(''),
    '{{- end }}\n',
  ].join('');
}

/** The external metrics API, where it is served. */
function externalMetricsText(): string {
  const policy = templateText([externalMetricsNetworkPolicy(templated.namespace)]);
  return [
    `${generated}{{- if .Values.externalMetrics.enabled }}\n`,
    templateText(externalMetricsManifests(templated.namespace)),
    `{{- if .Values.networkPolicy.enabled }}\n---\n${policy}{{- end }}\n{{- end }}\n`,
  ].join('');
}

/** What an optional part needs: what is of the whole cluster, and rights everywhere or in the namespace that is followed. */
function partText(part: OptionalPart): string {
  const { namespace } = templated;
  const { beside } = optionalParts[part];
  return [
    `${generated}{{- if and .Values.${part}.enabled (not (${adviceOnly})) }}\n`,
    ...(beside.length > 0 ? [templateText(beside)] : []),
    whereFollowed((watchNamespace) => `---\n${templateText(partAccess(part, namespace, watchNamespace))}`),
    '{{- end }}\n',
  ].join('');
}

/** Rights in every namespace, or in the one that is followed; those of advice alone, or all. */
function accessText(): string {
  const { namespace } = templated;
  const [account] = accessManifests(templated);
  if (!account) throw new Error('there is no service account');
  const followed = (watchNamespace: string) => (isAdvice: boolean) =>
    templateText(followedAccess(watchNamespace, namespace, isAdvice));
  const everywhere = (isAdvice: boolean) => templateText(clusterAccess(namespace, isAdvice));
  const own = (isAdvice: boolean) => templateText(ownAccess(namespace, isAdvice));
  return [
    templateText([withAnnotations(account)]),
    whereFollowed((watchNamespace) => byRights(watchNamespace === '' ? everywhere : followed(watchNamespace))),
    '{{- if and .Values.nodePools.enabled (not .Values.advice) }}\n---\n',
    templateText(nodeAccess(namespace)),
    '{{- end }}\n',
    byRights(own),
    '---\n',
    templateText(credentialManifests(namespace, namespace)),
  ].join('');
}

/** Objects of each namespace that is followed; of the whole cluster where none is named. */
function whereFollowed(of: (watchNamespace: string) => string): string {
  return [
    '{{- if $.Values.watchNamespace }}\n{{- range $namespace := splitList "," (nospace $.Values.watchNamespace) }}\n',
    of('{{ $namespace }}'),
    '{{- end }}\n{{- else }}\n',
    of(''),
    '{{- end }}\n',
  ].join('');
}

/** Objects with the rights of advice alone, or with all. */
function byRights(of: (isAdvice: boolean) => string): string {
  return [`{{- if ${adviceOnly} }}\n---\n`, of(true), '{{- else }}\n---\n', of(false), '{{- end }}\n'].join('');
}

function withAnnotations(account: Manifest): Manifest {
  const annotations = '{{ toJson .Values.serviceAccount.annotations }}';
  return { ...account, metadata: { ...account.metadata, annotations } } as unknown as Manifest;
}

/** Labels of the pods: those that were chosen, and ours, which nobody may change. */
function chosenLabels(): string {
  const own = Object.entries({ ...installLabels, ...podLabels }).map(([name, value]) => `\`${name}\` \`${value}\``);
  return `{{ toJson (merge (dict ${own.join(' ')}) .Values.podLabels) }}`;
}

/** Where the pods may run. */
const placement = {
  nodeSelector: '{{ toJson .Values.nodeSelector }}',
  tolerations: '{{ toJson .Values.tolerations }}',
};

/** What only the chart offers: where the operator runs, and the volume's class. */
function withPlacement(manifest: Manifest): Manifest {
  const { spec } = manifest as Manifest & { readonly spec: Record<string, unknown> };
  if (manifest.kind === 'PersistentVolumeClaim') {
    // Null is no class chosen, which is the default one; an empty text would be a volume without a class.
    return {
      ...manifest,
      spec: { ...spec, storageClassName: '{{ toJson (.Values.storage.className | default nil) }}' },
    };
  }
  if (manifest.kind !== 'Deployment') return manifest;
  const { template } = spec as { readonly template: { readonly metadata: object; readonly spec: object } };
  const metadata = { ...template.metadata, labels: chosenLabels() };
  return { ...manifest, spec: { ...spec, template: { metadata, spec: { ...template.spec, ...placement } } } };
}

/** What only the chart offers: how many gateways, of which size, and where. */
function asGatewayChosen(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Deployment') return manifest;
  const { spec } = manifest as Manifest & { readonly spec: { readonly template: { readonly spec: object } } };
  const pod = spec.template.spec as { readonly containers: readonly object[] };
  const containers = pod.containers.map((one) => ({ ...one, resources: '{{ toJson .Values.gateway.resources }}' }));
  const template = { ...spec.template, spec: { ...pod, containers, ...placement } };
  return { ...manifest, spec: { ...spec, replicas: '{{ toJson .Values.gateway.replicas }}', template } };
}

function otherNamespaces(): string {
  const manifests = templateText(credentialManifests('{{ . }}', '{{ $.Release.Namespace }}'));
  return `{{- range .Values.readNamespaces }}\n---\n${manifests}{{- end }}\n`;
}

function otherKinds(): string {
  const parts = { group: '{{ dir $kind }}', resource: '{{ base $kind }}' };
  const of = (watchNamespace: string) =>
    byRights((isAdvice) => templateText(scaleKindAccess(parts, watchNamespace, templated.namespace, isAdvice)));
  return ['{{- range $kind := .Values.scaleKinds }}\n', whereFollowed(of), '{{- end }}\n'].join('');
}
