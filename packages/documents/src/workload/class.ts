import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { currencyField, moneyField } from '../fields/money.ts';
import { headersField, nameField } from '../fields/names.ts';
import { bytesField } from '../fields/quantity.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';
import { plainText } from '../fields/text.ts';
import { commandSchema } from './command.ts';
import { environmentSchema, hostVariablesSchema } from './environment.ts';
import { resourcesSchema } from './resources.ts';

const acceptsSchema = z
  .strictObject({
    maxBodySize: bytesField()
      .optional()
      .meta({ description: 'Largest request body.', examples: ['1Mi'] }),
    maxTokens: z
      .int()
      .min(1)
      .optional()
      .meta({
        description: 'Largest `max_tokens` or `max_completion_tokens` of an OpenAI-style body.',
        examples: [256],
      }),
    models: z
      .array(plainText(256).min(1))
      .prefault([])
      .meta({
        description: 'Values of `model` in an OpenAI-style body. Empty: any.',
        examples: [['small']],
      }),
    headers: headersField().prefault({}).meta({ description: 'Headers that must have these values.' }),
  })
  .meta({ description: 'Which requests this class can serve; all that is named must hold. Left out: every request.' });

export const classSchema = z.strictObject({
  name: nameField().prefault('default').meta({ description: 'Unique within the workload.' }),
  command: commandSchema.meta({
    description: 'Program and arguments, one a list element. Runs directly, never through a shell.',
    examples: [['node', 'worker.mjs']],
  }),
  env: environmentSchema.prefault({}).meta({
    description:
      'The environment: a map, or a list of name and value as in Kubernetes. A replica gets exactly these, ' +
      'besides PORT, EBB_REPLICA, EBB_WORKLOAD and PATH.',
    examples: [{ MODEL: 'slim' }],
  }),
  envFromHost: hostVariablesSchema.prefault([]).meta({
    description: "Names of variables of the host's environment to pass on.",
    examples: [['HOME']],
  }),
  workingDirectory: plainText()
    .min(1)
    .refine((path) => !/^~(\/|$)/.test(path), {
      error: 'begins with ~, which only a shell expands; write the whole path',
    })
    .prefault('.')
    .meta({ description: "Where the command runs, relative to the document's folder." }),
  port: z
    .union([z.literal('auto'), z.int().min(1).max(65_535)])
    .prefault('auto')
    .meta({ description: 'Where the replica listens; it is told as PORT. `auto` picks a free one for each replica.' }),
  resources: resourcesSchema.prefault({}).meta({ description: 'What a replica needs and may use.' }),
  concurrency: z.int().min(0).max(1_000_000).prefault(1).meta({
    description: 'Requests one replica works on at once; 0: no limit.',
  }),
  accepts: acceptsSchema.optional(),
  pricePerHour: moneyField()
    .prefault('0')
    .meta({
      description:
        'What one replica costs an hour, at most six decimals. Requests go to the cheapest class that can serve them.',
      examples: ['0.07'],
    }),
  currency: currencyField().prefault('USD').meta({ description: 'ISO 4217; the same in all classes.' }),
  terminationGrace: durationField().prefault('30s').meta({ description: 'Time between SIGTERM and SIGKILL.' }),
});

export const classesSchema = z
  .array(classSchema)
  .min(1)
  .check(
    rule(['*.name'], (classes, report) => {
      const names = classes.map((item) => item.name);
      reportDuplicates(names, 'class', (index) => [index, 'name'], report);
    }),
    rule(['*.currency'], (classes, report) => {
      const currency = classes[0]?.currency;
      for (const [index, item] of classes.entries()) {
        if (item.currency === currency) continue;
        report([index, 'currency'], `the class is priced in ${item.currency}, the first class in ${currency}`, {
          code: 'mixed-currencies',
          related: [[0, 'currency']],
        });
      }
    }),
  );

export type ClassDocument = z.output<typeof classSchema>;
