import { textFlag as text } from './flags.ts';

/** What an installation may choose, for every command that writes one. */
export interface SettingFlags {
  namespace?: string;
  image?: string;
  storageSize?: string;
  storageClass?: string;
  postgresSecret?: string;
  readNamespace?: string[];
  scaleKind?: string[];
  networkPolicy?: boolean;
  nodePools?: boolean;
  externalMetrics?: boolean;
  sizing?: boolean;
  warmth?: boolean;
  serveServices?: boolean;
  advice?: boolean;
  takeOver?: boolean;
  gateway?: boolean;
  kinds?: boolean;
  watchNamespace?: string[];
  serviceAccountAnnotation?: string[];
  podLabel?: string[];
  metrics?: boolean;
}

const many = (placeholder: string, brief: string) =>
  ({ kind: 'parsed', parse: String, variadic: true, optional: true, placeholder, brief }) as const;

/** A flag that is given or not. */
export const given = (brief: string) => ({ kind: 'boolean', optional: true, withNegated: false, brief }) as const;

export const settingFlags = {
  namespace: text('NAME', 'Namespace of the operator (default: ebb-system)'),
  image: text('REFERENCE', 'Image that you built with the Containerfile (default: localhost/ebb and the version)'),
  storageSize: text('SIZE', 'Volume of the embedded store (default: 2Gi)'),
  storageClass: text('NAME', "Class of that volume (default: the cluster's)"),
  postgresSecret: text(
    'NAME',
    'Secret with the url of a PostgreSQL database in the place of the volume: two operators',
  ),
  readNamespace: many('NAME', 'Another namespace whose Secrets and ConfigMaps triggers may be read from'),
  scaleKind: many('GROUP/RESOURCE', 'Another kind whose scale may be written, such as argoproj.io/rollouts'),
  networkPolicy: given('Add the example of a NetworkPolicy'),
  nodePools: given('Let the operator make and end nodes, with the rights for it'),
  externalMetrics: given('Have Ebb serve the external metrics API, for HPAs that follow it'),
  serveServices: given('Let the operator keep endpoints of Services, so that gateways can be out of the path'),
  advice: {
    kind: 'boolean',
    optional: true,
    brief: 'Decide beside who is in charge, with no right to write to a target (default: no)',
  },
  takeOver: {
    kind: 'boolean',
    optional: true,
    brief: 'With --advice: the rights to be in charge of single objects, by ebb take-over',
  },
  sizing: given('Let the operator size pods as Workloads say, with the rights for it'),
  warmth: given('Let the operator keep images and room where annotations ask for it, with the rights for it'),
  gateway: {
    kind: 'boolean',
    optional: true,
    brief: 'Add the gateways, which hold and balance requests (default: yes)',
  },
  kinds: { kind: 'boolean', optional: true, brief: 'Add the definitions of the kinds (default: yes)' },
  watchNamespace: many(
    'NAME',
    'Follow this namespace alone, or each that is named, with a Role in it and no ClusterRole',
  ),
  serviceAccountAnnotation: many('KEY=VALUE', 'Annotation of the service account, by which a cloud knows the operator'),
  podLabel: many('KEY=VALUE', "Label more of the operator's pods"),
  metrics: { kind: 'boolean', optional: true, brief: 'Answer /metrics on the health port (default: yes)' },
} as const;
