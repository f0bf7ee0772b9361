import { type ParsedDocument, resolveTriggerAuthentication } from '@ebb/documents';
import type { ResolvedAuthentication } from '../auth/authentication.ts';

type Path = (string | number)[];

/** Which parameters a TriggerAuthentication gives; their values are known only when a trigger is read. */
export interface GivenParameters {
  /** Each with the place of its name. */
  names: { name: string; path: Path }[];
  /** Whether it can give no others: a file or an identity may. */
  isWhole: boolean;
  /** Identity of a cloud that triggers sign in with; null: none. */
  identity: ResolvedAuthentication['identity'];
}

/** The parameters of a TriggerAuthentication or ClusterTriggerAuthentication. */
export function givenParameters(document: ParsedDocument): GivenParameters {
  const spec = resolveTriggerAuthentication(document.document);
  const lists: [Path, readonly { parameter: string }[]][] = [
    [['secretTargetRef'], spec.secretTargetRef],
    [['configMapTargetRef'], spec.configMapTargetRef],
    [['env'], spec.env],
    [['hashiCorpVault', 'secrets'], spec.hashiCorpVault?.secrets ?? []],
    [['azureKeyVault', 'secrets'], spec.azureKeyVault?.secrets ?? []],
    [['gcpSecretManager', 'secrets'], spec.gcpSecretManager?.secrets ?? []],
    [['awsSecretManager', 'secrets'], spec.awsSecretManager?.secrets ?? []],
    [['boundServiceAccountToken'], spec.boundServiceAccountToken],
  ];
  return {
    names: lists.flatMap(([path, list]) =>
      list.map(({ parameter }, index) => ({ name: parameter, path: ['spec', ...path, index, 'parameter'] })),
    ),
    isWhole: spec.filePath === null && spec.oauth2 === null && spec.podIdentity === null,
    identity: spec.podIdentity,
  };
}
