import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { defineKind } from '../kind.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { utf8Length } from '../units/utf8.ts';
import {
  acceptedBytes,
  base64Field,
  dataKeyField,
  firstWritten,
  maxDataBytes,
  tooLarge,
  withEmptyValues,
} from './dataFields.ts';
import { ignoredField, kubernetesFrame, kubernetesKey } from './document.ts';

const dataFields = ['data', 'binaryData'];

export const configMapSchema = z
  .strictObject({
    ...kubernetesFrame('v1', 'ConfigMap'),
    immutable: z.boolean().prefault(false).meta({ description: 'Whether its values may never change.' }),
    data: z
      .record(dataKeyField(), z.string())
      .optional()
      .meta({ description: 'Values as text, by key.', examples: [{ 'broker.address': '127.0.0.1:9092' }] }),
    binaryData: z
      .record(dataKeyField(), base64Field('; plain text belongs in data'))
      .optional()
      .meta({ description: 'Values in base64, by key; other keys than those of `data`.' }),
    status: ignoredField(),
  })
  .check(
    rule(dataFields, (document, report) => {
      const { data = {}, binaryData = {} } = document;
      for (const key of Object.keys(binaryData)) {
        if (!Object.hasOwn(data, key)) continue;
        report(['binaryData', key], `the key ${key} is in data and in binaryData`, {
          code: 'duplicate-name',
          related: [['data', key]],
        });
      }
      const bytes =
        Object.values(data).reduce((sum, value) => sum + utf8Length(value), 0) +
        Object.values(binaryData).reduce((sum, value) => sum + acceptedBytes(value).length, 0);
      if (bytes <= maxDataBytes) return;
      report(firstWritten(document, dataFields), tooLarge('ConfigMap', bytes), { code: 'out-of-bounds' });
    }),
  );
export type ConfigMapInput = z.input<typeof configMapSchema>;
export type ConfigMapDocument = z.output<typeof configMapSchema>;

export const configMapKind = defineKind({
  kind: 'ConfigMap',
  plural: 'configmaps',
  apiVersion: 'v1',
  schema: configMapSchema,
  summary: "Kubernetes' ConfigMap, unchanged: values that TriggerAuthentications refer to.",
  example: `apiVersion: v1
kind: ConfigMap
metadata:
  name: kafka
data:
  sasl: plaintext
  tls: enable
`,
  keyOf: kubernetesKey,
  normalize: withEmptyValues(dataFields),
});

/** A ConfigMap with its values. */
export interface ConfigMapSpec {
  key: ObjectKey;
  data: Record<string, string>;
  binaryData: Record<string, Uint8Array>;
}

/** The values of a ConfigMap. Throws `InvalidDocumentError` when it is not valid. */
export function resolveConfigMap(document: unknown): ConfigMapSpec {
  const read = readDocument(configMapKind, document);
  const binary = Object.entries(read.binaryData ?? {}).map(([key, value]) => [key, acceptedBytes(value)]);
  return { key: kubernetesKey(read), data: read.data ?? {}, binaryData: Object.fromEntries(binary) };
}
