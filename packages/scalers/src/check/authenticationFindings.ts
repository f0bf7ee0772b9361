import { keyText, nearest, type KedaTriggerSpec, type ParsedDocument } from '@ebb/documents';
import type { AnyScaler } from '../contract/definition.ts';
import { findScaler } from '../registry.ts';
import { givenParameters } from './authenticationNames.ts';
import type { Finding } from './finding.ts';
import { authenticationOf, triggersOf } from './triggersOf.ts';

/**
 * Parameters that none of the triggers using the authentication reads, and an identity that none signs in with, where all of
 * these are known here.
 */
export function authenticationFindings(parsed: ParsedDocument, batch: readonly ParsedDocument[]): Finding[] {
  const using = batch.flatMap((document) =>
    triggersOf(document).filter((trigger) => isSame(authenticationOf(trigger, document.key, batch), parsed)),
  );
  const definitions = using.map(({ type }: KedaTriggerSpec) => findScaler(type));
  if (definitions.length === 0 || definitions.includes(undefined)) return [];
  const scalers = [...new Set(definitions.filter((one) => one !== undefined))];
  const types = scalers.map(({ type }) => type).join(', ');
  const readable = [...new Set(scalers.flatMap(authParameters))];
  const { names, identity } = givenParameters(parsed);
  const isUsed = scalers.some(({ identities = [] }) =>
    identities.some((one) => isOfSameCloud(one, identity?.provider)),
  );
  const unused: Finding[] =
    identity === null || isUsed
      ? []
      : [
          {
            severity: 'warning',
            code: 'no-effect',
            message: `the pod identity ${identity.provider} has no effect: the triggers that use this ${parsed.kind} (${types}) do not sign in with it`,
            path: ['spec', 'podIdentity', 'provider'],
          },
        ];
  const unread = names
    .filter(({ name }) => !readable.includes(name))
    .map(({ name, path }): Finding => {
      const elsewhere = scalers.some(({ parameters }) => Object.hasOwn(parameters, name));
      const why = elsewhere ? 'is not read from an authentication' : 'is not known';
      return {
        severity: 'warning',
        code: elsewhere ? 'misplaced-setting' : 'unknown-setting',
        message: `the parameter ${name} ${why} by the triggers that use this ${parsed.kind} (${types})`,
        path,
        suggestion: nearest(name, readable),
      };
    });
  return [...unused, ...unread];
}

/** `aws-eks` is KEDA's older name for another way to the same cloud. */
function isOfSameCloud(known: string, given: string | undefined): boolean {
  return known === given || (known === 'aws' && given === 'aws-eks');
}

function authParameters({ parameters }: AnyScaler): string[] {
  return Object.entries(parameters).flatMap(([name, { from }]) => (from.includes('auth') ? [name] : []));
}

function isSame(found: ParsedDocument | null, parsed: ParsedDocument): boolean {
  return found !== null && found.kind === parsed.kind && keyText(found.key) === keyText(parsed.key);
}
