import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { headersField } from '../fields/names.ts';
import { rule } from '../fields/rule.ts';
import { commandSchema } from './command.ts';

const actionShape = {
  http: z
    .strictObject({
      path: z
        .string()
        .max(2048)
        .regex(/^\/[^\s#]*$/, { error: 'must begin with / and have no spaces' })
        .prefault('/')
        .meta({ description: 'What is asked for, with a query if need be.' }),
      headers: headersField().prefault({}).meta({ description: 'Headers to send.' }),
    })
    .optional()
    .meta({ description: 'A GET on the port; 200 to 399 is a yes.', examples: [{ path: '/healthz' }] }),
  tcp: z.strictObject({}).optional().meta({ description: 'A connection to the port; being accepted is a yes.' }),
  exec: z
    .strictObject({ command: commandSchema.meta({ description: 'Program and arguments.' }) })
    .optional()
    .meta({ description: 'A command; exit code 0 is a yes.', examples: [{ command: ['./healthy'] }] }),
};

const actionNames = ['http', 'tcp', 'exec'] as const;
type ActionDocument = { [Name in (typeof actionNames)[number]]?: z.output<(typeof actionShape)[Name]> };

/** A probe with no action takes that of its neighbour (see `resolveProbes`), so none is fine and two are not. */
const oneAction = rule<ActionDocument>([], (probe, report) => {
  const named = actionNames.filter((name) => probe[name] !== undefined);
  const [first, second] = named;
  if (first && second) {
    report([second], `a probe does one of http, tcp and exec, found ${named.join(' and ')}`, {
      code: 'one-of',
      related: [[first]],
    });
  }
});

const timeout = durationField(1).prefault('1s').meta({ description: 'An answer later than this is a no.' });

const startupSchema = z
  .strictObject({
    ...actionShape,
    timeout,
    budget: durationField(1)
      .prefault('120s')
      .meta({ description: 'A replica that is not ready after this long is ended.' }),
  })
  .check(oneAction);

const probeSchema = z
  .strictObject({
    ...actionShape,
    period: durationField(1).prefault('5s').meta({ description: 'Time between two checks.' }),
    timeout,
    successThreshold: z.int().min(1).max(100).prefault(1).meta({ description: 'Consecutive yeses that make it good.' }),
    failureThreshold: z.int().min(1).max(100).prefault(3).meta({ description: 'Consecutive noes that make it bad.' }),
  })
  .check(oneAction);

export const probesSchema = z.strictObject({
  startup: startupSchema.prefault({}).meta({
    description:
      'Asked from 1 ms after the start, ever less often, until it says yes once. Without an action: that of `readiness`, or tcp.',
  }),
  readiness: probeSchema.prefault({}).meta({
    description: 'Requests go only to replicas that say yes. Without an action: that of `startup`, or tcp.',
  }),
  liveness: probeSchema
    .check(
      rule([], (probe, report) => {
        if (actionNames.every((name) => probe[name] === undefined)) {
          report([], 'a liveness probe needs one of http, tcp and exec', { code: 'one-of', allowed: [...actionNames] });
        }
      }),
    )
    .optional()
    .meta({ description: 'A replica that says no is restarted. Left out: only the end of the process counts.' }),
});

export type ProbesDocument = z.output<typeof probesSchema>;
export type ProbeDocument = z.output<typeof probeSchema>;
