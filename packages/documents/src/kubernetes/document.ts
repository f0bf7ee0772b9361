import { z } from 'zod';
import { labelKeyField, labelValueField } from '../fields/names.ts';
import { defaultCluster, defaultNamespace, type ObjectKey } from '../objectKey.ts';
import { subdomainField } from './names.ts';

/** What only a cluster writes into `metadata`; an export has it, and it says nothing about what is wanted. */
const clusterMetadata = [
  'uid',
  'resourceVersion',
  'generation',
  'generateName',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'ownerReferences',
  'finalizers',
  'selfLink',
  'clusterName',
] as const;

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** A field that only a cluster writes. */
export const ignoredField = () => z.unknown().optional().meta({ description: 'Written by a cluster; ignored.' });

const metadataSchema = z
  .strictObject({
    name: subdomainField().meta({ description: 'Unique within namespace and kind.', examples: ['web'] }),
    namespace: subdomainField(63).prefault(defaultNamespace).meta({ description: 'The same as its target has.' }),
    labels: z
      .record(labelKeyField(), labelValueField())
      .prefault({})
      .meta({ description: 'For people and selectors.' }),
    annotations: z
      .record(labelKeyField(), z.string().max(262_144))
      .prefault({})
      .meta({ description: 'Text for people and tools; some change what is done.' }),
    ...Object.fromEntries(clusterMetadata.map((name) => [name, ignoredField()])),
  })
  .meta({ description: 'Who this object is.' });

type MetadataShape = z.ZodObject<
  Pick<(typeof metadataSchema)['shape'], 'name' | 'namespace' | 'labels' | 'annotations'>,
  z.core.$strict
>;

/** The frame of a Kubernetes document: apiVersion, kind and metadata around the kind's own spec. */
export function kubernetesDocument<const Version extends string, const Kind extends string, Spec extends z.ZodType>(
  version: Version,
  kind: Kind,
  spec: Spec,
) {
  return z.strictObject({
    ...kubernetesFrame(version, kind),
    spec,
    status: ignoredField(),
  });
}

/** What all Kubernetes documents begin with. */
export function kubernetesFrame<const Version extends string, const Kind extends string>(version: Version, kind: Kind) {
  return {
    apiVersion: z.literal(version).meta({ description: 'Version of the format.' }),
    kind: z.literal(kind).meta({ description: 'What the document describes.' }),
    // The ignored fields are for the JSON Schema; nobody reads them.
    metadata: metadataSchema as unknown as MetadataShape,
  };
}

/** Kubernetes objects belong to the cluster that the control plane is told of; here the local one. */
export function kubernetesKey({ metadata }: { metadata: { namespace: string; name: string } }): ObjectKey {
  return { cluster: defaultCluster, namespace: metadata.namespace, name: metadata.name };
}

/**
 * A document without `status`, without the metadata that a cluster or kubectl writes and without fields that are null,
 * which the API server takes as left out. What is exported twice is the same document then.
 */
export function withoutClusterFields(written: Record<string, unknown>): Record<string, unknown> {
  const { status: _status, ...rest } = written;
  const plain = withoutNulls(rest);
  if (!isRecord(plain)) return rest;
  const { metadata } = plain;
  if (!isRecord(metadata)) return plain;
  const own = Object.entries(metadata).filter(([name]) => !clusterMetadata.some((other) => other === name));
  return { ...plain, metadata: withoutLastApplied(Object.fromEntries(own)) };
}

/** `kubectl apply` keeps a copy of the document in an annotation. */
function withoutLastApplied(metadata: Record<string, unknown>): Record<string, unknown> {
  const { annotations, ...rest } = metadata;
  if (!isRecord(annotations) || !Object.hasOwn(annotations, lastApplied)) return metadata;
  const { [lastApplied]: _copy, ...own } = annotations;
  return Object.keys(own).length === 0 ? rest : { ...rest, annotations: own };
}

/** Elements of lists stay, because leaving one out would move the others. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (inner === null ? [] : [[name, withoutNulls(inner)]])),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
