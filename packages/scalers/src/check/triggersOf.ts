import {
  type KedaTriggerSpec,
  type ObjectKey,
  type ParsedDocument,
  resolveScaledJob,
  resolveScaledObject,
} from '@ebb/documents';
import { asFormulaSources } from '../contract/formulaTarget.ts';
import { findScaler } from '../registry.ts';

/** The triggers of a ScaledObject or ScaledJob; none for other kinds. */
export function triggersOf(parsed: ParsedDocument): KedaTriggerSpec[] {
  if (parsed.kind === 'ScaledObject') {
    const { triggers, modifiers } = resolveScaledObject(parsed.document);
    return modifiers ? asFormulaSources(triggers, findScaler) : triggers;
  }
  return parsed.kind === 'ScaledJob' ? resolveScaledJob(parsed.document).triggers : [];
}

/** The authentication that a trigger names, where it is among the documents. */
export function authenticationOf(
  { authentication }: KedaTriggerSpec,
  { cluster, namespace }: ObjectKey,
  batch: readonly ParsedDocument[],
): ParsedDocument | null {
  if (!authentication) return null;
  const found = batch.find(
    ({ kind, key }) =>
      kind === authentication.kind &&
      key.name === authentication.name &&
      key.cluster === cluster &&
      (kind === 'ClusterTriggerAuthentication' || key.namespace === namespace),
  );
  return found ?? null;
}
