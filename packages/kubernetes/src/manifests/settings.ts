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
  readonly cpuRequest: string;
  readonly memoryRequest: string;
  readonly memoryLimit: string;
  /** Other namespaces whose Secrets and ConfigMaps triggers may be read from. */
  readonly readNamespaces: readonly string[];
}

/** Version of the image and the chart. A test holds it equal to the package's. */
export const installVersion = '0.1.0';

export const defaultSettings: InstallSettings = {
  namespace: 'ebb-system',
  image: `localhost/ebb:${installVersion}`,
  imagePullPolicy: 'IfNotPresent',
  storageSize: '2Gi',
  storageClass: '',
  cpuRequest: '100m',
  memoryRequest: '256Mi',
  memoryLimit: '1Gi',
  readNamespaces: [],
};

/** Name of everything that is installed. */
export const installName = 'ebb';

/** User and group of the image (the Containerfile makes them). */
export const imageUser = 10_001;

export const dataDirectory = '/var/lib/ebb';
/** Where `/livez` and `/healthz` answer. */
export const healthPort = 7070;

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
  };
  readonly [field: string]: unknown;
}
