import { describe, expect, test } from 'vitest';
import { InvalidDocumentError } from '../invalidDocument.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { redactDocument } from '../redactDocument.ts';
import { resolveTriggerAuthentication } from './resolveTriggerAuthentication.ts';

const text = (spec: string, kind = 'TriggerAuthentication') =>
  `apiVersion: keda.sh/v1alpha1\nkind: ${kind}\nmetadata: { name: login, namespace: team }\nspec: ${spec}\n`;
const read = (spec: string, kind?: string) => parseDocuments(text(spec, kind), { file: 'k.yaml' });
const resolved = (spec: string, kind?: string) => {
  const { documents, problems } = read(spec, kind);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return resolveTriggerAuthentication(documents[0]?.document);
};

const nothing = {
  podIdentity: null,
  secretTargetRef: [],
  configMapTargetRef: [],
  env: [],
  filePath: null,
  hashiCorpVault: null,
  awsSecretManager: null,
  boundServiceAccountToken: [],
  oauth2: null,
  azureKeyVault: null,
  gcpSecretManager: null,
};

describe('resolve', () => {
  test.each(['TriggerAuthentication', 'ClusterTriggerAuthentication'])('an empty %s', (kind) => {
    expect(resolved('{ podIdentity: { provider: none } }', kind)).toEqual({
      key: { cluster: 'local', namespace: 'team', name: 'login' },
      kind,
      ...nothing,
    });
  });

  test('every source', () => {
    const spec = `
  secretTargetRef: [{ parameter: host, name: rabbit, key: url }]
  configMapTargetRef: [{ parameter: tls, name: rabbit, key: tls }]
  env: [{ parameter: user, name: RABBIT_USER }, { parameter: p, name: P, containerName: app }]
  filePath: /etc/login.json
  boundServiceAccountToken: [{ parameter: bearer, serviceAccountName: reader }]
  hashiCorpVault:
    address: https://vault:8200
    authentication: token
    credential: { token: t }
    secrets: [{ parameter: password, path: rabbit/login, key: password, type: secretV2 }]
  awsSecretManager:
    region: eu-west-1
    secrets: [{ parameter: password, name: rabbit }]
  oauth2: { type: clientCredentials, clientId: c, clientSecret: { valueFrom: { secretKeyRef: { name: s, key: k } } }, tokenUrl: "https://t" }`;
    expect(resolved(spec)).toMatchObject({
      secretTargetRef: [{ parameter: 'host', name: 'rabbit', key: 'url' }],
      configMapTargetRef: [{ parameter: 'tls', name: 'rabbit', key: 'tls' }],
      env: [
        { parameter: 'user', name: 'RABBIT_USER', containerName: null },
        { parameter: 'p', name: 'P', containerName: 'app' },
      ],
      filePath: '/etc/login.json',
      boundServiceAccountToken: [{ parameter: 'bearer', serviceAccountName: 'reader' }],
      hashiCorpVault: { address: 'https://vault:8200', secrets: [{ type: 'secretV2' }] },
      awsSecretManager: { region: 'eu-west-1' },
      oauth2: { tokenUrl: 'https://t' },
      azureKeyVault: null,
    });
    expect(read(spec).problems).toEqual([]);
  });

  test('what is not valid throws', () => {
    expect(() => resolveTriggerAuthentication({ kind: 'ScaledObject' })).toThrow(InvalidDocumentError);
    expect(() => resolveTriggerAuthentication(null)).toThrow(InvalidDocumentError);
  });
});

const vaultSecrets = 'secrets: [{ parameter: p, name: n }]';

const credentials = 'clientSecret: { valueFrom: { secretKeyRef: { name: n, key: k } } }';

test.each([
  '{ podIdentity: { provider: aws, roleArn: r, externalID: x } }',
  '{ podIdentity: { provider: aws, identityOwner: keda } }',
  '{ podIdentity: { provider: azure-workload, identityId: i } }',
  '{ podIdentity: { provider: gcp } }',
  `{ azureKeyVault: { vaultUri: u, podIdentity: { provider: azure-workload }, ${vaultSecrets} } }`,
  `{ azureKeyVault: { vaultUri: u, credentials: { clientId: c, tenantId: t, ${credentials} }, cloud: { type: Private, other: o }, ${vaultSecrets} } }`,
  '{ gcpSecretManager: { podIdentity: { provider: gcp }, secrets: [{ parameter: p, id: n }] } }',
  `{ gcpSecretManager: { credentials: { ${credentials} }, secrets: [{ parameter: p, id: n }] } }`,
  `{ awsSecretManager: { podIdentity: { provider: aws }, ${vaultSecrets} } }`,
  `{ awsSecretManager: { ${vaultSecrets} } }`,
])('%s is available', (spec) => {
  const { documents, problems } = read(spec);
  expect(documents).toHaveLength(1);
  expect(problems).toEqual([]);
});

test.each([
  ['{ podIdentity: { provider: aws-eks } }', 'spec.podIdentity.provider', 'use the provider aws with roleArn'],
  [
    '{ podIdentity: { provider: aws, identityOwner: workload } }',
    'spec.podIdentity.identityOwner',
    "the role of the target's service account",
  ],
  [
    `{ awsSecretManager: { podIdentity: { provider: aws, identityOwner: workload }, ${vaultSecrets} } }`,
    'spec.awsSecretManager.podIdentity.identityOwner',
    "the role of the target's service account",
  ],
  [`{ azureKeyVault: { vaultUri: u, ${vaultSecrets} } }`, 'spec.azureKeyVault', 'needs credentials'],
  ['{ gcpSecretManager: { secrets: [{ parameter: p, id: n }] } }', 'spec.gcpSecretManager', 'needs credentials'],
  [
    `{ azureKeyVault: { vaultUri: u, podIdentity: { provider: gcp }, ${vaultSecrets} } }`,
    'spec.azureKeyVault.podIdentity.provider',
    'takes the pod identity azure-workload or none, found gcp',
  ],
  [
    `{ awsSecretManager: { podIdentity: { provider: azure-workload }, ${vaultSecrets} } }`,
    'spec.awsSecretManager.podIdentity.provider',
    'takes the pod identity aws or none',
  ],
])('%s is accepted and cannot give anything here', (spec, path, told) => {
  const { documents, problems } = read(spec);
  expect(documents).toHaveLength(1);
  expect(problems).toMatchObject([{ severity: 'warning', code: 'mode-not-available', path }]);
  expect(problems[0]?.message).toContain(told);
});

test('the token of a vault is a secret', () => {
  const vault = (token: string) =>
    `{ hashiCorpVault: { address: a, authentication: token, credential: { token: ${token} }, secrets: [{ parameter: p, path: a, key: k }] } }`;
  expect(JSON.stringify(read(vault('hunter2')).documents[0]?.document)).toContain('hunter2');
  const shown = JSON.stringify(redactDocument('TriggerAuthentication', read(vault('hunter2')).documents[0]?.document));
  expect(shown).toContain('"token":"***"');
  expect(shown).not.toContain('hunter2');
  expect(JSON.stringify(read(vault('[hunter2]')).problems)).not.toContain('hunter2');
  expect(JSON.stringify(read(vault('20240607')).problems)).not.toContain('20240607');
});
