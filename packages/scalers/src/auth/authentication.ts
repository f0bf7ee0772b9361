import type { TriggerAuthenticationSpec } from '@ebb/documents';
import type { CloudAccess } from './cloud/cloudAccess.ts';

/** A TriggerAuthentication or ClusterTriggerAuthentication: where a trigger's values come from. */
export type AuthenticationSpec = TriggerAuthenticationSpec;
export type VaultSpec = NonNullable<AuthenticationSpec['hashiCorpVault']>;
export type VaultSecret = VaultSpec['secrets'][number];
export type AwsSecretManagerSpec = NonNullable<AuthenticationSpec['awsSecretManager']>;
export type AwsSecret = AwsSecretManagerSpec['secrets'][number];
/** A value that stands in a Secret, as the vaults' own credentials are given. */
export type SecretValue = NonNullable<AuthenticationSpec['oauth2']>['clientSecret'];
export type AzureKeyVaultSpec = NonNullable<AuthenticationSpec['azureKeyVault']>;
export type GcpSecretManagerSpec = NonNullable<AuthenticationSpec['gcpSecretManager']>;
/** The identity of a cloud that an authentication names. */
export type PodIdentity = NonNullable<AuthenticationSpec['podIdentity']>;
export type KeyReference = AuthenticationSpec['secretTargetRef'][number];

/** What an authentication comes to. */
export interface ResolvedAuthentication {
  /** Text by parameter. */
  values: Readonly<Record<string, string>>;
  /** Null: it names none. Scalers get its tokens themselves, from their context's `cloud`. */
  identity: PodIdentity | null;
}

/** What an authentication may look up. Values that come back are secrets: they are neither logged nor shown. */
export interface AuthenticationLookups extends CloudAccess {
  /** Values of a Secret; null: there is none of that name. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, string>> | null>;
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, string>> | null>;
  /** Environment of the target's container; without a name, of the first. */
  env(name: string, containerName?: string): string | undefined;
  /** The path of a file of this machine without links in it. Rejects as `node:fs` does. */
  realPath(path: string): Promise<string>;
  /** Token of a service account; null: none is configured. */
  serviceAccountToken(name: string): Promise<string | null>;
  nowMs(): number;
  /** Namespace whose Secrets and ConfigMaps a ClusterTriggerAuthentication reads. Default `ebb-system`. */
  clusterNamespace?: string;
  /** Folder that `filePath` starts in; null or left out: no such files may be read. */
  fileRoot?: string | null;
}

/** One authentication being resolved: what its sources need. */
export interface Resolution {
  lookups: AuthenticationLookups;
  signal: AbortSignal;
  /** For messages: `TriggerAuthentication default/queue-login`. */
  title: string;
  /** One value of a Secret of the authentication's namespace. */
  secretValue(value: SecretValue, what: string): Promise<string>;
}
