import { customResourceDefinition, kindOf, ownKindNames, yamlText } from '@ebb/documents';
import { networkPolicy, operatorManifests } from './operator.ts';
import { accessManifests, credentialManifests } from './rbac.ts';
import { defaultSettings, installVersion, type InstallSettings, type Manifest } from './settings.ts';

const generated = '# Generated from packages/kubernetes/src/manifests; do not edit.\n';

/** Where each setting stands in the chart's values. */
const values = {
  image: { repository: 'localhost/ebb', tag: installVersion, pullPolicy: defaultSettings.imagePullPolicy },
  storage: { size: defaultSettings.storageSize, className: defaultSettings.storageClass },
  resources: {
    requests: { cpu: defaultSettings.cpuRequest, memory: defaultSettings.memoryRequest },
    limits: { memory: defaultSettings.memoryLimit },
  },
  readNamespaces: [] as string[],
  networkPolicy: { enabled: false },
  nodeSelector: {},
  tolerations: [] as unknown[],
};

/** The settings, with a template in the place of each. */
const templated: InstallSettings = {
  namespace: '{{ .Release.Namespace }}',
  image: '{{ .Values.image.repository }}:{{ .Values.image.tag }}',
  imagePullPolicy: '{{ .Values.image.pullPolicy }}',
  storageSize: '{{ .Values.storage.size }}',
  storageClass: '',
  cpuRequest: '{{ .Values.resources.requests.cpu }}',
  memoryRequest: '{{ .Values.resources.requests.memory }}',
  memoryLimit: '{{ .Values.resources.limits.memory }}',
  readNamespaces: [],
};

/** Files of the Helm chart, with their paths from its folder. The same objects as `installManifests` gives. */
export function chartFiles(): { path: string; text: string }[] {
  return [
    { path: 'Chart.yaml', text: generated + yamlText([chart]) },
    { path: 'values.yaml', text: valuesText() },
    ...ownKindNames.map((name) => ({
      path: `crds/${kindOf(name).plural}.yaml`,
      text: generated + yamlText([customResourceDefinition(name)]),
    })),
    { path: 'templates/access.yaml', text: generated + templateText(accessManifests(templated)) + otherNamespaces() },
    {
      path: 'templates/operator.yaml',
      text: generated + templateText(operatorManifests(templated).map(withPlacement)),
    },
    {
      path: 'templates/networkpolicy.yaml',
      text: `${generated}{{- if .Values.networkPolicy.enabled }}\n${templateText([networkPolicy(templated)])}{{- end }}\n`,
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
    resources: 'Of the operator; replicas have their own.',
    readNamespaces: 'Other namespaces whose Secrets and ConfigMaps triggers may be read from, one Role each.',
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
  const { template } = spec as { readonly template: { readonly spec: object } };
  const placement = {
    nodeSelector: '{{ toJson .Values.nodeSelector }}',
    tolerations: '{{ toJson .Values.tolerations }}',
  };
  return { ...manifest, spec: { ...spec, template: { ...template, spec: { ...template.spec, ...placement } } } };
}

function otherNamespaces(): string {
  const manifests = templateText(credentialManifests('{{ . }}', '{{ $.Release.Namespace }}'));
  return `{{- range .Values.readNamespaces }}\n---\n${manifests}{{- end }}\n`;
}
