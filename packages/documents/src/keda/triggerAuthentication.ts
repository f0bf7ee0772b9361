import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { defineKind } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { authenticationHints } from './authenticationHints.ts';
import { kedaApiVersion, olderKedaVersions, refusedKedaVersions } from './versions.ts';

const text = () => z.string().min(1).max(65_536);
const parameter = () => text().meta({ description: 'Name that the scaler knows the value by.' });

const podIdentitySchema = z
  .strictObject({
    provider: z
      .enum(['azure-workload', 'gcp', 'aws', 'aws-eks', 'none'])
      .meta({ description: 'Whose identity the pod has.' }),
    identityId: z.string().optional().meta({ description: 'Identity in place of the default one.' }),
    identityTenantId: z.string().optional().meta({ description: 'Tenant of the identity.' }),
    identityAuthorityHost: z.string().optional().meta({ description: 'Where the identity signs in.' }),
    roleArn: z.string().optional().meta({ description: 'AWS role to take on.' }),
    externalID: z.string().optional().meta({ description: "External id of the role's trust policy." }),
    identityOwner: z.enum(['keda', 'workload']).optional().meta({ description: 'Whose identity is used.' }),
  })
  .check(
    rule(['identityId'], ({ identityId }, report) => {
      if (identityId === '') report(['identityId'], 'identityId must not be empty', { code: 'invalid-value' });
    }),
    rule(['roleArn', 'identityOwner'], ({ roleArn, identityOwner }, report) => {
      if (!roleArn || identityOwner !== 'workload') return;
      report(['roleArn'], 'roleArn does not go together with identityOwner workload, which brings its own role', {
        code: 'one-of',
        related: [['identityOwner']],
      });
    }),
    rule(['roleArn', 'externalID'], ({ roleArn, externalID }, report) => {
      if (!externalID || roleArn) return;
      report(['externalID'], 'externalID needs roleArn', { code: 'missing-field', allowed: ['roleArn'] });
    }),
    rule(['identityTenantId', 'identityAuthorityHost'], ({ identityTenantId, identityAuthorityHost }, report) => {
      if (!identityAuthorityHost || identityTenantId) return;
      report(['identityAuthorityHost'], 'identityAuthorityHost needs identityTenantId', {
        code: 'missing-field',
        allowed: ['identityTenantId'],
      });
    }),
  );

const podIdentity = () => podIdentitySchema.optional().meta({ description: 'Identity of a cloud that the pod has.' });

const keyReference = z.strictObject({
  parameter: parameter(),
  name: text().meta({ description: 'Name of the object.' }),
  key: text().meta({ description: 'Key within it.' }),
});

/** A value from a Secret, as the vaults' own credentials are given. */
const secretValue = () =>
  z
    .strictObject({
      valueFrom: z
        .strictObject({
          secretKeyRef: z
            .strictObject({
              name: text().meta({ description: 'Name of the Secret.' }),
              key: text().meta({ description: 'Key within it.' }),
            })
            .meta({ description: 'Where it stands.' }),
        })
        .meta({ description: 'Where it comes from.' }),
    })
    .meta({ description: 'A value of a Secret.' });

const vaultSecret = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .array(z.strictObject({ parameter: parameter(), ...shape }))
    .min(1)
    .meta({ description: 'What is read.' });

const hashiCorpVault = z.strictObject({
  address: text().meta({ description: 'Address of the vault.' }),
  namespace: text().optional().meta({ description: 'Namespace within the vault.' }),
  authentication: z.enum(['token', 'kubernetes']).meta({ description: 'How it is signed in to.' }),
  role: text().optional().meta({ description: 'Role, for `kubernetes`.' }),
  mount: text().optional().meta({ description: 'Mount, for `kubernetes`.' }),
  credential: z
    .strictObject({
      token: text().optional().meta({ description: 'Token, for `token`.' }),
      serviceAccount: text().optional().meta({ description: "Path of the service account's token." }),
      serviceAccountName: text().optional().meta({ description: 'Service account whose token is asked for.' }),
    })
    .optional()
    .meta({ description: 'What it is signed in with.' }),
  secrets: vaultSecret({
    path: text().meta({ description: 'Path of the secret.' }),
    key: text().meta({ description: 'Key within it.' }),
    type: z.enum(['secret', 'secretV2', 'pki', '']).optional().meta({ description: 'Kind of secret engine.' }),
    pkiData: z.looseObject({}).optional().meta({ description: 'What a certificate is asked for with.' }),
  }),
});

const azureKeyVault = z.strictObject({
  vaultUri: text().meta({ description: 'Address of the vault.' }),
  credentials: z
    .strictObject({
      clientId: text().meta({ description: 'Id of the application.' }),
      tenantId: text().meta({ description: 'Id of the tenant.' }),
      clientSecret: secretValue(),
    })
    .optional()
    .meta({ description: 'What it is signed in with.' }),
  podIdentity: podIdentity(),
  cloud: z
    .looseObject({
      type: z.string().optional().meta({
        description:
          '`AzurePublicCloud`, `AzureUSGovernmentCloud`, `AzureChinaCloud`, `AzureGermanCloud` or `Private`.',
      }),
      keyVaultResourceURL: z.string().optional().meta({ description: 'Whom tokens are for, with `Private`.' }),
      activeDirectoryEndpoint: z
        .string()
        .optional()
        .meta({ description: 'Where tokens are asked for, with `Private`.' }),
    })
    .optional()
    .meta({ description: 'Which Azure cloud. Left out: the public one.' }),
  secrets: vaultSecret({
    name: text().meta({ description: 'Name of the secret.' }),
    version: text().optional().meta({ description: 'Its version. Left out: the latest.' }),
  }),
});

const gcpSecretManager = z.strictObject({
  credentials: z
    .strictObject({ clientSecret: secretValue() })
    .optional()
    .meta({ description: 'What it is signed in with.' }),
  podIdentity: podIdentity(),
  secrets: vaultSecret({
    id: text().meta({ description: 'Id of the secret.' }),
    version: text().optional().meta({ description: 'Its version. Left out: the latest.' }),
  }),
});

const awsSecretManager = z.strictObject({
  credentials: z
    .strictObject({
      accessKey: secretValue(),
      accessSecretKey: secretValue(),
      accessToken: secretValue().optional(),
    })
    .optional()
    .meta({ description: 'What it is signed in with.' }),
  podIdentity: podIdentity(),
  region: text().optional().meta({ description: 'Region of the secrets.' }),
  secrets: vaultSecret({
    name: text().meta({ description: 'Name of the secret.' }),
    versionId: text().optional().meta({ description: 'Id of its version.' }),
    versionStage: text().optional().meta({ description: 'Stage of its version.' }),
    secretKey: text().optional().meta({ description: 'Key within a secret of JSON.' }),
  }),
});

const specSchema = z.strictObject({
  podIdentity: podIdentity(),
  secretTargetRef: z.array(keyReference).optional().meta({ description: 'Values of Secrets.' }),
  configMapTargetRef: z.array(keyReference).optional().meta({ description: 'Values of ConfigMaps.' }),
  env: z
    .array(
      z.strictObject({
        parameter: parameter(),
        name: text().meta({ description: 'Name of the variable.' }),
        containerName: text().optional().meta({ description: 'Container that has it. Left out: the first.' }),
      }),
    )
    .optional()
    .meta({ description: "Values of the target's environment." }),
  filePath: text().optional().meta({ description: 'File of values in JSON, one for each parameter.' }),
  hashiCorpVault: hashiCorpVault.optional().meta({ description: 'Values of a HashiCorp Vault.' }),
  azureKeyVault: azureKeyVault.optional().meta({ description: 'Values of an Azure Key Vault.' }),
  gcpSecretManager: gcpSecretManager.optional().meta({ description: 'Values of GCP Secret Manager.' }),
  awsSecretManager: awsSecretManager.optional().meta({ description: 'Values of AWS Secrets Manager.' }),
  boundServiceAccountToken: z
    .array(
      z.strictObject({
        parameter: parameter(),
        serviceAccountName: text().meta({ description: 'Service account whose token is asked for.' }),
      }),
    )
    .optional()
    .meta({ description: 'Tokens of service accounts.' }),
  oauth2: z
    .strictObject({
      type: z.literal('clientCredentials').meta({ description: 'Kind of grant.' }),
      clientId: text().meta({ description: 'Id of the client.' }),
      clientSecret: secretValue(),
      tokenUrl: text().meta({ description: 'Where tokens are asked for.' }),
      scopes: z.array(text()).optional().meta({ description: 'What is asked for.' }),
      tokenUrlParams: z.record(z.string(), z.string()).optional().meta({ description: 'More parameters.' }),
    })
    .optional()
    .meta({ description: 'OAuth 2 client credentials.' }),
});

export const triggerAuthenticationSchema = kubernetesDocument(
  kedaApiVersion,
  'TriggerAuthentication',
  specSchema.meta({ description: 'Where its values come from.' }),
);

export const clusterTriggerAuthenticationSchema = kubernetesDocument(
  kedaApiVersion,
  'ClusterTriggerAuthentication',
  specSchema.meta({ description: 'Where its values come from.' }),
);

export type TriggerAuthenticationDocument = z.output<typeof triggerAuthenticationSchema>;

const shared = {
  apiVersion: kedaApiVersion,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  olderVersions: olderKedaVersions,
  refusedVersions: refusedKedaVersions,
  secretFields: [['spec', 'hashiCorpVault', 'credential', 'token']],
  hints: authenticationHints,
};

export const triggerAuthenticationKind = defineKind({
  ...shared,
  kind: 'TriggerAuthentication',
  plural: 'triggerauthentications',
  schema: triggerAuthenticationSchema,
  summary: "KEDA's TriggerAuthentication: how triggers of its namespace sign in.",
  example: `apiVersion: ${kedaApiVersion}
kind: TriggerAuthentication
metadata:
  name: queue-login
spec:
  secretTargetRef:
    - { parameter: host, name: rabbitmq, key: url }
`,
});

export const clusterTriggerAuthenticationKind = defineKind({
  ...shared,
  kind: 'ClusterTriggerAuthentication',
  plural: 'clustertriggerauthentications',
  schema: clusterTriggerAuthenticationSchema,
  summary: "KEDA's ClusterTriggerAuthentication: how triggers of every namespace sign in.",
  example: `apiVersion: ${kedaApiVersion}
kind: ClusterTriggerAuthentication
metadata:
  name: cloud
spec:
  secretTargetRef:
    - { parameter: username, name: kafka, key: username }
    - { parameter: password, name: kafka, key: password }
`,
});
