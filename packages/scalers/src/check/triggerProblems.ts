import {
  type KedaTriggerSpec,
  nearest,
  type ObjectKey,
  type ParsedDocument,
  type Problem,
  resolveScaledObject,
  resolveWorkload,
} from '@ebb/documents';
import { findUnavailable, knownTypes } from '../catalogue.ts';
import { findScaler } from '../registry.ts';
import { authenticationFindings } from './authenticationFindings.ts';
import { givenParameters } from './authenticationNames.ts';
import { type Finding, problemOf } from './finding.ts';
import { settingFindings } from './settingFindings.ts';
import { authenticationOf, triggersOf } from './triggersOf.ts';
import { title } from './usualTarget.ts';

/**
 * What is wrong with the triggers of a ScaledObject or ScaledJob, as far as the document and those applied together with it
 * tell: KEDA itself finds out while it runs. Of a TriggerAuthentication: parameters that none of the triggers using it
 * knows. Empty for other kinds. No message has a value that may be secret.
 */
export function triggerProblems(parsed: ParsedDocument, batch: readonly ParsedDocument[] = []): Problem[] {
  return findingsOf(parsed, batch).map((finding) => problemOf(parsed, finding));
}

function findingsOf(parsed: ParsedDocument, batch: readonly ParsedDocument[]): Finding[] {
  if (parsed.kind === 'TriggerAuthentication' || parsed.kind === 'ClusterTriggerAuthentication') {
    return authenticationFindings(parsed, batch);
  }
  return triggersOf(parsed).flatMap((trigger, index) => {
    const findings = [...triggerFindings(trigger, parsed.key, batch), ...requestFindings(parsed, trigger, batch)];
    return findings.map((finding) => ({ ...finding, path: ['spec', 'triggers', index, ...finding.path] }));
  });
}

function triggerFindings(trigger: KedaTriggerSpec, key: ObjectKey, batch: readonly ParsedDocument[]): Finding[] {
  const { type } = trigger;
  const definition = findScaler(type);
  if (definition) {
    const authentication = authenticationOf(trigger, key, batch);
    return settingFindings(definition, trigger, authentication && givenParameters(authentication));
  }
  const unavailable = findUnavailable(type);
  if (unavailable) {
    const message =
      `${title(trigger)}: ${unavailable.looksAt} is not available here: it is shown as Unsupported, holds the last ` +
      'capacity and never counts as 0';
    return [{ severity: 'warning', code: 'unsupported-trigger', message, path: ['type'] }];
  }
  const message = `${title(trigger)}: there is no trigger type "${type}"; KEDA would set Ready=False when it runs`;
  return [
    { severity: 'error', code: 'unknown-trigger', message, path: ['type'], suggestion: nearest(type, knownTypes) },
  ];
}

/** As KEDA's admission: percent of a request need a request, where the workload is among the documents. */
function requestFindings(
  parsed: ParsedDocument,
  trigger: KedaTriggerSpec,
  batch: readonly ParsedDocument[],
): Finding[] {
  const { type, metricType } = trigger;
  if (parsed.kind !== 'ScaledObject' || metricType !== 'Utilization') return [];
  const field = type === 'cpu' ? 'cpuMilli' : type === 'memory' ? 'memoryBytes' : null;
  if (field === null) return [];
  const { name } = resolveScaledObject(parsed.document).target;
  const target = batch.find(
    ({ kind, key }) => kind === 'Workload' && key.name === name && key.namespace === parsed.key.namespace,
  );
  if (target?.kind !== 'Workload') return [];
  const { classes } = resolveWorkload(target.document, { baseDirectory: '/' });
  const without = classes.filter(({ resources }) => !resources.requests[field] && !resources.limits[field]);
  if (without.length === 0) return [];
  const which = without.map((one) => `"${one.name}"`).join(', ');
  const message =
    `${title(trigger)}: percent of a request need one, and the Workload "${name}" has no request or limit for ${type} ` +
    `in ${which}; KEDA's admission would refuse it`;
  return [{ severity: 'error', code: 'missing-field', message, path: ['type'] }];
}
