import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import {
  clusterTriggerAuthenticationKind,
  type TriggerAuthenticationDocument,
  triggerAuthenticationKind,
} from './triggerAuthentication.ts';

type Source = TriggerAuthenticationDocument['spec'];
/** What a source has where it is written, and null where it is not. */
type OrNull<Name extends keyof Source> = NonNullable<Source[Name]> | null;

/** A TriggerAuthentication or ClusterTriggerAuthentication: where a trigger's parameters come from. */
export interface TriggerAuthenticationSpec {
  key: ObjectKey;
  kind: 'TriggerAuthentication' | 'ClusterTriggerAuthentication';
  /** `none` is null. */
  podIdentity: OrNull<'podIdentity'>;
  secretTargetRef: KeyReference[];
  configMapTargetRef: KeyReference[];
  env: { parameter: string; name: string; containerName: string | null }[];
  filePath: string | null;
  hashiCorpVault: OrNull<'hashiCorpVault'>;
  awsSecretManager: OrNull<'awsSecretManager'>;
  boundServiceAccountToken: { parameter: string; serviceAccountName: string }[];
  oauth2: OrNull<'oauth2'>;
  azureKeyVault: OrNull<'azureKeyVault'>;
  gcpSecretManager: OrNull<'gcpSecretManager'>;
}

/** A key of a Secret or ConfigMap, and the name that the scaler knows its value by. */
export interface KeyReference {
  parameter: string;
  name: string;
  key: string;
}

/**
 * A TriggerAuthentication or ClusterTriggerAuthentication with every source named. Throws `InvalidDocumentError` when it
 * is not valid.
 */
export function resolveTriggerAuthentication(document: unknown): TriggerAuthenticationSpec {
  const isForAll =
    typeof document === 'object' && document !== null && 'kind' in document && document.kind === clusterKindName;
  const read = isForAll
    ? readDocument(clusterTriggerAuthenticationKind, document)
    : readDocument(triggerAuthenticationKind, document);
  const { spec } = read;
  return {
    key: kubernetesKey(read),
    kind: read.kind,
    podIdentity: spec.podIdentity && spec.podIdentity.provider !== 'none' ? spec.podIdentity : null,
    secretTargetRef: spec.secretTargetRef ?? [],
    configMapTargetRef: spec.configMapTargetRef ?? [],
    env: (spec.env ?? []).map(({ containerName = null, ...rest }) => ({ ...rest, containerName })),
    filePath: spec.filePath ?? null,
    hashiCorpVault: spec.hashiCorpVault ?? null,
    awsSecretManager: spec.awsSecretManager ?? null,
    boundServiceAccountToken: spec.boundServiceAccountToken ?? [],
    oauth2: spec.oauth2 ?? null,
    azureKeyVault: spec.azureKeyVault ?? null,
    gcpSecretManager: spec.gcpSecretManager ?? null,
  };
}

const clusterKindName = clusterTriggerAuthenticationKind.kind;
