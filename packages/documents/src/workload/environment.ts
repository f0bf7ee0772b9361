import { z } from 'zod';
import { reportDuplicates } from '../fields/rule.ts';
import { plainText } from '../fields/text.ts';

/** Set by Ebb for every replica. */
export const reservedVariables = ['PORT', 'EBB_REPLICA', 'EBB_WORKLOAD'];

const variableSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, {
    error: 'is not a variable name; write letters, digits and _, not beginning with a digit',
  })
  .refine((name) => !reservedVariables.includes(name), { error: 'is set by Ebb for every replica; leave it out' });

const valueSchema = plainText(131_072);

/** `{NAME: value}`, or Kubernetes' list of `{name, value}`; always a map on the way out. */
export const environmentSchema = z
  .union([
    z.record(variableSchema, valueSchema),
    z
      .array(
        z.strictObject({
          name: variableSchema.meta({ description: 'Name of the variable.' }),
          value: valueSchema.prefault('').meta({ description: 'Its text.' }),
        }),
      )
      .meta({ title: 'Kubernetes form' }),
  ])
  .transform((variables, context) => {
    if (!Array.isArray(variables)) return variables;
    const names = variables.map((variable) => variable.name);
    reportDuplicates(
      names,
      'variable',
      (index) => [index, 'name'],
      (path, message, params) =>
        context.addIssue({ code: 'custom', path, message, params: { ...params, depth: path.length } }),
    );
    return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  });

export const hostVariablesSchema = z.array(variableSchema);
