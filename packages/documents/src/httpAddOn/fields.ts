import { z } from 'zod';
import { headerNameField } from '../fields/names.ts';
import { type Path, reportDuplicates, rule } from '../fields/rule.ts';
import { goDurationField } from '../fields/goDuration.ts';
import type { Hint } from '../kind.ts';
import { int32Field } from '../kubernetes/names.ts';

export const httpGroup = 'http.keda.sh';

const portFields = {
  port: int32Field(1, 65_535).optional().meta({ description: 'Port of the Service; this or `portName`.' }),
  portName: z.string().min(1).max(63).optional().meta({ description: 'Name of a port of the Service.' }),
};

interface Ports {
  port?: number | undefined;
  portName?: string | undefined;
}

/** Exactly one of port and portName. */
export function portRule<T extends Ports>(): z.core.$ZodCheck<T> {
  return rule<T>(['port', 'portName'], ({ port, portName }, report) => {
    const hasPort = port !== undefined;
    if (hasPort !== (portName !== undefined)) return;
    if (!hasPort) {
      report([], 'one of port and portName is needed', { code: 'missing-field', allowed: ['port', 'portName'] });
      return;
    }
    report(['portName'], 'only one of port and portName may be there', { code: 'one-of', related: [['port']] });
  });
}

/** A Service by the field that names it, and its port. */
export function serviceFields<const Name extends 'service' | 'name'>(name: Name) {
  const service = z.string().min(1).max(253).meta({ description: 'Name of the Service.' });
  return { [name]: service, ...portFields } as Record<Name, typeof service> & typeof portFields;
}

export function headersSchema() {
  return z
    .array(
      z.strictObject({
        name: headerNameField().meta({ description: 'Name of the header.' }),
        value: z.string().max(4096).optional().meta({ description: 'Its value. Left out: any.' }),
      }),
    )
    .check(
      rule(['*.name'], (headers, report) => {
        const names = headers.map(({ name }) => name);
        reportDuplicates(names, 'header', (index) => [index, 'name'], report);
      }),
    );
}

/** How a rate of requests is counted. */
export function requestRateFields() {
  return {
    window: goDurationField(1).prefault('1m').meta({ description: 'Time over which the rate is counted.' }),
    granularity: goDurationField(1).prefault('1s').meta({ description: 'Length of the pieces that are counted.' }),
  };
}

/** What is said of the Service and its port: requests go to the replicas themselves. */
export function portHint(path: Path, { port, portName }: Ports): Hint[] {
  const field = port === undefined ? 'portName' : 'port';
  if (port === undefined && portName === undefined) return [];
  const message = "on one machine requests go straight to the replicas of the Workload; a Service's port has no effect";
  return [{ path: [...path, field], code: 'mode-not-available', message }];
}
