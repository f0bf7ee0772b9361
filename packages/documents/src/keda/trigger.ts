import { z } from 'zod';
import { type Report, reportDuplicates, rule } from '../fields/rule.ts';
import type { PathPattern } from '../kind.ts';
import { segmentField } from '../kubernetes/names.ts';

/** Triggers that become resource metrics of the HPA; KEDA itself never sees their values. */
const resourceTypes = ['cpu', 'memory'];
const neverCached = ['cpu', 'memory', 'cron'];

/** Settings of the scalers, which are text whatever they look like. */
export const triggerMetadata: PathPattern = ['spec', 'triggers', '*', 'metadata', '*'];

export function isResourceTrigger(type: string): boolean {
  return resourceTypes.includes(type);
}

/** Text; a number or boolean that somebody forgot to quote is accepted, and told where the kind's `textFields` have it. */
export const looseText = () => z.union([z.string().max(65_536), z.number(), z.boolean()]).meta({ title: 'string' });

export const triggerSchema = z
  .strictObject({
    type: z
      .string()
      .min(1)
      .max(253)
      .meta({ description: 'Which scaler reads it.', examples: ['kafka'] }),
    name: z.string().min(1).max(253).optional().meta({
      description: 'Unique within the object; a formula knows the trigger by it.',
    }),
    metadata: z.record(z.string(), looseText()).meta({
      description:
        "Settings of the scaler, as text. Each scaler has its own; `activation` before the target's name is the value from which it leaves zero.",
      examples: [{ topic: 'orders', lagThreshold: '50' }],
    }),
    authenticationRef: z
      .strictObject({
        name: segmentField().meta({ description: 'Its name.' }),
        kind: z
          .enum(['TriggerAuthentication', 'ClusterTriggerAuthentication'])
          .prefault('TriggerAuthentication')
          .meta({ description: 'Its kind.' }),
      })
      .optional()
      .meta({ description: 'How the scaler signs in.' }),
    metricType: z.enum(['AverageValue', 'Value', 'Utilization']).optional().meta({
      description:
        '`AverageValue`: the target is for each replica; `Value`: for all; `Utilization`: CPU and memory only. Left out: `AverageValue`.',
    }),
    useCachedMetrics: z.boolean().prefault(false).meta({
      description: 'Answer the HPA from the last poll in place of asking the source again.',
    }),
  })
  .check(
    rule(['type', 'metricType'], ({ type, metricType }, report) => {
      if (!isResourceTrigger(type)) {
        if (metricType !== 'Utilization') return;
        report(['metricType'], `metricType Utilization is for cpu and memory only, not for ${type}`, {
          code: 'invalid-value',
          allowed: ['AverageValue', 'Value'],
        });
      } else if (metricType === undefined || metricType === 'Value') {
        const message = `a ${type} trigger needs metricType Utilization or AverageValue`;
        report(metricType === undefined ? ['type'] : ['metricType'], message, {
          code: metricType === undefined ? 'missing-field' : 'invalid-value',
          allowed: ['Utilization', 'AverageValue'],
        });
      }
    }),
    rule(['type', 'useCachedMetrics'], ({ type, useCachedMetrics }, report) => {
      if (!useCachedMetrics || !neverCached.includes(type)) return;
      report(['useCachedMetrics'], `a ${type} trigger cannot use cached metrics`, { code: 'invalid-value' });
    }),
  );

/** At least one trigger; names that are given are unique. */
export const triggersSchema = z
  .array(triggerSchema)
  .min(1)
  .check(rule(['*.name'], checkNames));

function checkNames(triggers: TriggerDocument[], report: Report): void {
  const named = triggers.flatMap(({ name }, index) => (name === undefined ? [] : [{ name, index }]));
  const names = named.map(({ name }) => name);
  reportDuplicates(names, 'trigger', (position) => [named[position]?.index ?? 0, 'name'], report);
}

export type TriggerDocument = z.output<typeof triggerSchema>;

/** A trigger with its defaults; its metadata is that of any scaler, as text. */
export interface KedaTriggerSpec {
  /** Unique within the object: the document's, or one made from type and position that no formula can name. */
  name: string;
  type: string;
  metadata: Record<string, string>;
  metricType: 'AverageValue' | 'Value' | 'Utilization';
  useCachedMetrics: boolean;
  authentication: { kind: 'TriggerAuthentication' | 'ClusterTriggerAuthentication'; name: string } | null;
}

export function resolveTriggers(triggers: TriggerDocument[]): KedaTriggerSpec[] {
  const taken = new Set(triggers.flatMap(({ name }) => name ?? []));
  return triggers.map((trigger, index) => {
    let name = trigger.name ?? `s${index}-${trigger.type}`;
    while (trigger.name === undefined && taken.has(name)) name += '-';
    taken.add(name);
    const { type, metricType = 'AverageValue', useCachedMetrics, authenticationRef: reference } = trigger;
    return {
      name,
      type,
      metadata: Object.fromEntries(Object.entries(trigger.metadata).map(([key, value]) => [key, String(value)])),
      metricType,
      useCachedMetrics,
      authentication: reference ? { kind: reference.kind, name: reference.name } : null,
    };
  });
}
