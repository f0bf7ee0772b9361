import {
  dataDirectory,
  installLabels,
  installName,
  type InstallSettings,
  type Manifest,
  podLabels,
} from './settings.ts';

/** Where the Secret's certificate is: `sslrootcert` of the URL names it. */
const storeDirectory = '/etc/ebb/store';
/** Keys of the Secret; all but the first may be missing. */
const secretKeys = { url: 'url', password: 'password', certificate: 'ca.crt' };
/** One decides, the other stands by. */
const operatorReplicas = 2;

/** What of the operator's Deployment depends on where its store is. */
export interface StoreParts {
  /** Beside the Deployment. */
  readonly beside: Manifest;
  /** Of the Deployment's spec. */
  readonly deployment: object;
  /** Of the pod's spec. */
  readonly pod: object;
  readonly volumes: readonly object[];
  readonly env: readonly object[];
  readonly mounts: readonly object[];
}

/** A file on a volume, for one process, or a database that several operators share. */
export function storeParts(settings: InstallSettings): StoreParts {
  return settings.postgresSecret === '' ? embedded(settings) : postgres(settings);
}

function embedded(settings: InstallSettings): StoreParts {
  return {
    beside: volumeClaim(settings),
    // The embedded store is a file: one process has it at a time.
    deployment: { replicas: 1, strategy: { type: 'Recreate' } },
    pod: {},
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: installName } }],
    env: [{ name: 'EBB_DATA', value: dataDirectory }],
    mounts: [{ name: 'data', mountPath: dataDirectory }],
  };
}

function volumeClaim({ namespace, storageSize, storageClass }: InstallSettings): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: installName, namespace, labels: installLabels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: storageSize } },
      ...(storageClass === '' ? {} : { storageClassName: storageClass }),
    },
  };
}

function postgres({ namespace, postgresSecret: name }: InstallSettings): StoreParts {
  const { url, password, certificate } = secretKeys;
  const labelSelector = { matchLabels: podLabels };
  const items = [{ key: certificate, path: certificate }];
  return {
    beside: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: installName, namespace, labels: installLabels },
      spec: { maxUnavailable: 1, selector: labelSelector },
    },
    // A new one has seen the cluster before an old one goes.
    deployment: {
      replicas: operatorReplicas,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    },
    pod: {
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
      ],
    },
    volumes: [{ name: 'store', secret: { secretName: name, optional: true, defaultMode: 0o440, items } }],
    env: [
      { name: 'EBB_STORE_URL', valueFrom: { secretKeyRef: { name, key: url } } },
      { name: 'EBB_STORE_PASSWORD', valueFrom: { secretKeyRef: { name, key: password, optional: true } } },
    ],
    mounts: [{ name: 'store', mountPath: storeDirectory, readOnly: true }],
  };
}
