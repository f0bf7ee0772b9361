import {
  type KedaTriggerSpec,
  type ParsedDocument,
  type Problem,
  resolveScaledObject,
  resolveTriggerAuthentication,
} from '@ebb/documents';
import { authenticationOf, findScaler, findUnavailable, triggersOf } from '@ebb/scalers';

/** `needs`: it works once what the reasons say is there. */
export type TriggerResult = 'works' | 'needs' | 'not available';

/** What becomes of one trigger. */
export interface TriggerCoverage {
  file: string;
  line: number;
  kind: string;
  namespace: string;
  object: string;
  trigger: string;
  type: string;
  result: TriggerResult;
  reasons: string[];
}

/** Every trigger of the documents, with what it needs or why it is not available. */
export function coverageOf(documents: readonly ParsedDocument[], problems: readonly Problem[]): TriggerCoverage[] {
  return documents.flatMap((document) =>
    triggersOf(document).map((trigger, index) => {
      const path = `spec.triggers[${index}]`;
      const { line } = document.placeOf(path);
      const { key, kind, file } = document;
      const at = { file, line, kind, namespace: key.namespace, object: key.name };
      const own = problems.filter(
        (problem) => problem.file === file && isWithin(problem.path, path, document, problem),
      );
      return { ...at, trigger: trigger.name, type: trigger.type, ...resultOf(trigger, document, documents, own) };
    }),
  );
}

function isWithin(path: string, of: string, document: ParsedDocument, problem: Problem): boolean {
  if (path !== of && !path.startsWith(`${of}.`) && !path.startsWith(`${of}[`)) return false;
  // Several documents of one file have the same paths: the place tells them apart.
  const [mine, start] = [document.placeOf(path), document.placeOf(path, 'key')];
  return [mine, start].some(({ line, column }) => line === problem.line && column === problem.column);
}

function resultOf(
  trigger: KedaTriggerSpec,
  document: ParsedDocument,
  documents: readonly ParsedDocument[],
  problems: readonly Problem[],
): Pick<TriggerCoverage, 'result' | 'reasons'> {
  const { type } = trigger;
  if (!findScaler(type)) {
    const unavailable = findUnavailable(type);
    const reason = unavailable
      ? `${unavailable.looksAt} is not read here; the last capacity is held and it never counts as 0`
      : `KEDA has no trigger type ${type}`;
    return { result: 'not available', reasons: [reason] };
  }
  const authentication = authenticationOf(trigger, document.key, documents);
  const refused = authentication ? signInsNotAvailable(trigger, authentication) : [];
  if (refused.length > 0) return { result: 'not available', reasons: refused };
  const serious = problems.filter(({ severity, code }) => severity === 'error' || code === 'no-effect');
  const reasons = [
    ...serious.map(({ message }) => message.replace(/^trigger "[^"]*" \([^)]*\): /, '')),
    ...missingObjects(trigger, authentication, documents),
    ...identitiesNeeded(trigger, authentication),
  ];
  return { result: reasons.length === 0 ? 'works' : 'needs', reasons };
}

/** Ways to sign in that cannot be had here: the roles of other service accounts, which are not read. */
function signInsNotAvailable({ type, metadata }: KedaTriggerSpec, authentication: ParsedDocument): string[] {
  const { podIdentity, awsSecretManager } = resolveTriggerAuthentication(authentication.document);
  const isTargets = [podIdentity, awsSecretManager?.podIdentity].some((one) => one?.identityOwner === 'workload');
  const signsIn = (findScaler(type)?.identities ?? []).includes('aws') && metadata.identityOwner !== 'operator';
  const what = isTargets
    ? 'identityOwner workload'
    : podIdentity?.provider === 'aws-eks' && signsIn
      ? 'the pod identity aws-eks'
      : null;
  const name = `${authentication.kind} "${authentication.key.name}"`;
  return what === null
    ? []
    : [`${what} of the ${name} is the role of the target's service account, which is not read: use aws with roleArn`];
}

/** Identities of a cloud that Ebb must have itself, for the trigger or for a vault. */
function identitiesNeeded({ type }: KedaTriggerSpec, authentication: ParsedDocument | null): string[] {
  if (!authentication) return [];
  const spec = resolveTriggerAuthentication(authentication.document);
  const vaults = [spec.azureKeyVault, spec.gcpSecretManager, spec.awsSecretManager];
  const isUsed = (findScaler(type)?.identities ?? []).length > 0;
  const identities = [...(isUsed ? [spec.podIdentity] : []), ...vaults.map((vault) => vault?.podIdentity)];
  const providers = identities.flatMap((one) => (one && one.provider !== 'none' ? [one.provider] : []));
  return [...new Set(providers)].map(
    (provider) =>
      `the pod identity ${provider} of the ${authentication.kind} "${authentication.key.name}" is Ebb's own: what Ebb runs as needs it`,
  );
}

/** Objects that the sign-in names and that are not among the documents. */
function missingObjects(
  { authentication: named }: KedaTriggerSpec,
  authentication: ParsedDocument | null,
  documents: readonly ParsedDocument[],
): string[] {
  if (!named) return [];
  if (!authentication) return [`the ${named.kind} "${named.name}" is not among the files`];
  const { secretTargetRef, configMapTargetRef } = resolveTriggerAuthentication(authentication.document);
  const has = (kind: string, name: string) =>
    documents.some(
      (one) => one.kind === kind && one.key.name === name && one.key.namespace === authentication.key.namespace,
    );
  const missing = [
    ...secretTargetRef.map(({ name }) => ({ kind: 'Secret', name })),
    ...configMapTargetRef.map(({ name }) => ({ kind: 'ConfigMap', name })),
  ].filter(({ kind, name }) => !has(kind, name));
  return [...new Set(missing.map(({ kind, name }) => `the ${kind} "${name}" is not among the files: apply it too`))];
}

/** A target that no Workload of the documents has the name of. */
export interface MissingWorkload {
  namespace: string;
  name: string;
  kind: string;
  scaledObjects: string[];
  containerName: string | null;
}

/** What the ScaledObjects scale that is not there as a Workload, in the order of the documents. */
export function missingWorkloads(documents: readonly ParsedDocument[]): MissingWorkload[] {
  const missing = new Map<string, MissingWorkload>();
  for (const document of documents) {
    if (document.kind !== 'ScaledObject') continue;
    const { target } = resolveScaledObject(document.document);
    const { namespace } = document.key;
    const isThere = documents.some(
      ({ kind, key }) => kind === 'Workload' && key.name === target.name && key.namespace === namespace,
    );
    if (isThere) continue;
    const id = `${namespace}/${target.name}`;
    const found = missing.get(id);
    if (found) found.scaledObjects.push(document.key.name);
    else {
      const containerName = target.envSourceContainerName;
      missing.set(id, {
        namespace,
        name: target.name,
        kind: target.kind,
        scaledObjects: [document.key.name],
        containerName,
      });
    }
  }
  return [...missing.values()];
}
