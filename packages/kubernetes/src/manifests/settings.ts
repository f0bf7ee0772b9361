/** What an installation may choose. Each is a text, so that a chart can stand a template in its place. */
export interface InstallSettings {
  /** Namespace of the operator. */
  readonly namespace: string;
  /** Reference of the image. None is published: the Containerfile builds it. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Size of the volume of the embedded store. */
  readonly storageSize: string;
  /** Empty: the cluster's default class. */
  readonly storageClass: string;
  /** Secret with the URL of a PostgreSQL database that holds the store, for two operators and no volume; empty: the embedded store. */
  readonly postgresSecret: string;
  readonly cpuRequest: string;
  readonly memoryRequest: string;
  readonly memoryLimit: string;
  /** Other namespaces whose Secrets and ConfigMaps triggers may be read from. */
  readonly readNamespaces: readonly string[];
  /** Other kinds whose scale may be written, as `group/resource`, such as `argoproj.io/rollouts`. */
  readonly scaleKinds: readonly string[];
  /** Namespaces whose objects are followed, with commas between them and a Role in each in the place of the ClusterRole; empty: all of them. */
  readonly watchNamespace: string;
  /** Of the service account: how clouds give it an identity of theirs. */
  readonly serviceAccountAnnotations: Readonly<Record<string, string>>;
  /** Added to those of the operator's pods. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** Whether `/metrics` answers on the health port: `true` or `false`. */
  readonly metrics: string;
  /** Whether nodes are made and ended, with the rights for it: `true` or `false`. Not where one namespace is followed. */
  readonly nodePools: string;
  /** Whether Ebb serves the external metrics API of the cluster: `true` or `false`. */
  readonly externalMetrics: string;
  /** Whether endpoints of Services are kept, so that gateways can be out of the path: `true` or `false`. */
  readonly serveServices: string;
  /** Whether pods are sized as Workloads say: `true` or `false`. */
  readonly sizing: string;
  /** Whether images and room are kept for targets whose annotations ask for it: `true` or `false`. */
  readonly warmth: string;
  /** Image of pods that keep room or images: does nothing. */
  readonly pauseImage: string;
  /** Image with a statically linked /bin/busybox, by which images are pulled. */
  readonly toolImage: string;
  /** Whether the operator only advises, with no right to write to a target: `true` or `false`. */
  readonly advice: string;
  /** Beside advice, the rights to be in charge of single objects by `ebb take-over`: `true` or `false`. */
  readonly takeOver: string;
}

/** Whether the operator gets the rights of advice alone. */
export function isAdviceOnly({ advice, takeOver }: Pick<InstallSettings, 'advice' | 'takeOver'>): boolean {
  return advice === 'true' && takeOver !== 'true';
}

/** The gateways' Deployment, Service and account. */
export const gatewayName = 'ebb-gateway';
/** Where a gateway pod listens for requests, and for the operator. */
export const gatewayPorts = { http: 8080, link: 7071 };

/** Version of the image and the chart. A test holds it equal to the package's. */
export const installVersion = '0.1.0';

export const defaultSettings: InstallSettings = {
  namespace: 'ebb-system',
  image: `localhost/ebb:${installVersion}`,
  imagePullPolicy: 'IfNotPresent',
  storageSize: '2Gi',
  storageClass: '',
  postgresSecret: '',
  cpuRequest: '100m',
  memoryRequest: '256Mi',
  memoryLimit: '1Gi',
  readNamespaces: [],
  scaleKinds: [],
  watchNamespace: '',
  serviceAccountAnnotations: {},
  podLabels: {},
  metrics: 'true',
  nodePools: 'false',
  externalMetrics: 'false',
  serveServices: 'false',
  sizing: 'false',
  warmth: 'false',
  pauseImage: 'registry.k8s.io/pause:3.10.1',
  toolImage: 'docker.io/library/busybox:1.37.0-musl',
  advice: 'false',
  takeOver: 'false',
};

/** Name of everything that is installed. */
export const installName = 'ebb';
/** ConfigMap beside the operator's lease that has what it advises. */
export const adviceConfigMapName = `${installName}-advice`;

/** User and group of the image (the Containerfile makes them). */
export const imageUser = 10_001;

export const dataDirectory = '/var/lib/ebb';
/** Where `/livez`, `/healthz` and `/metrics` answer. */
export const healthPort = 7070;

/** The group that HPAs read external metrics from. One server has it for the whole cluster. */
export const externalMetricsGroup = 'external.metrics.k8s.io';
export const externalMetricsName = `v1beta1.${externalMetricsGroup}`;
/** The Service that the API server sends questions for it to, and where the operator listens. */
export const externalMetricsService = 'ebb-external-metrics';
export const externalMetricsPort = 7443;
/** On the operator's pod that leads. */
export const leaderLabel = 'ebb.dev/leads';

/** Labels of everything that is installed. */
export const installLabels = {
  'app.kubernetes.io/name': 'ebb',
  'app.kubernetes.io/part-of': 'ebb',
  'app.kubernetes.io/version': installVersion,
};

/** Labels of the operator's pods, which never change. */
export const podLabels = { 'app.kubernetes.io/name': 'ebb', 'app.kubernetes.io/component': 'operator' };

/** An object of Kubernetes as it is applied. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}
