import { z } from 'zod';
import { type Report, rule } from '../fields/rule.ts';
import { defineKind, type Hint } from '../kind.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { utf8Length, utf8Text } from '../units/utf8.ts';
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

const serviceAccountName = 'kubernetes.io/service-account.name';
const dataFields = ['data', 'stringData'];

/** Keys that a type needs; all of them, but for basic-auth, where one is enough. */
const neededKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};
const jsonTypes = ['kubernetes.io/dockercfg', 'kubernetes.io/dockerconfigjson'];
const basicAuth = 'kubernetes.io/basic-auth';

export const secretSchema = z
  .strictObject({
    ...kubernetesFrame('v1', 'Secret'),
    type: z.string().max(253).prefault('Opaque').meta({
      description: 'What it is for. Some types need certain keys: `kubernetes.io/tls` needs `tls.crt` and `tls.key`.',
    }),
    immutable: z.boolean().prefault(false).meta({ description: 'Whether its values may never change.' }),
    data: z
      .record(dataKeyField(), base64Field('; plain text belongs in stringData'))
      .optional()
      .meta({ description: 'Values in base64, by key.' }),
    stringData: z
      .record(dataKeyField(), z.string())
      .optional()
      .meta({
        description: 'Values as text, by key; they win over those of `data`.',
        examples: [{ url: 'amqp://worker:…@127.0.0.1:5672/' }],
      }),
    status: ignoredField(),
  })
  .check(
    rule(dataFields, (document, report) => {
      const bytes = Object.values(valuesOf(document)).reduce((sum, value) => sum + value.length, 0);
      if (bytes <= maxDataBytes) return;
      report(firstWritten(document, dataFields), tooLarge('Secret', bytes), { code: 'out-of-bounds' });
    }),
    rule(['type', 'metadata.annotations', ...dataFields], checkType),
  );
export type SecretInput = z.input<typeof secretSchema>;
export type SecretDocument = z.output<typeof secretSchema>;

interface Value {
  /** In bytes. */
  length: number;
  text: () => string;
}

/** All values by key, those of `stringData` first. */
function valuesOf({ data = {}, stringData = {} }: Pick<SecretDocument, 'data' | 'stringData'>): Record<string, Value> {
  const encoded = Object.entries(data).map(([key, value]): [string, Value] => {
    const bytes = acceptedBytes(value);
    return [key, { length: bytes.length, text: () => utf8Text(bytes) }];
  });
  const plain = Object.entries(stringData).map(([key, value]): [string, Value] => [
    key,
    { length: utf8Length(value), text: () => value },
  ]);
  return Object.fromEntries([...encoded, ...plain]);
}

function checkType(document: SecretDocument, report: Report): void {
  const { type, metadata } = document;
  const values = valuesOf(document);
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations[serviceAccountName]) {
    const message = `a Secret of type ${type} needs the annotation ${serviceAccountName}`;
    report(['type'], message, { code: 'missing-field' });
  }
  if (type === basicAuth && !Object.hasOwn(values, 'username') && !Object.hasOwn(values, 'password')) {
    report(['type'], `a Secret of type ${type} needs the key username or password`, { code: 'missing-field' });
  }
  for (const key of neededKeys[type] ?? []) {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined) {
      report(['type'], `a Secret of type ${type} needs the key ${key}`, { code: 'missing-field' });
    } else if (jsonTypes.includes(type) && !isJson(value.text())) {
      const field = Object.hasOwn(document.stringData ?? {}, key) ? 'stringData' : 'data';
      report([field, key], `the key ${key} of a Secret of type ${type} must be JSON`, { code: 'invalid-value' });
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export const secretKind = defineKind({
  kind: 'Secret',
  plural: 'secrets',
  apiVersion: 'v1',
  schema: secretSchema,
  summary: "Kubernetes' Secret, unchanged: values that TriggerAuthentications refer to. They are never shown.",
  example: `apiVersion: v1
kind: Secret
metadata:
  name: rabbitmq
stringData:
  url: amqp://worker:change-me@127.0.0.1:5672/
`,
  keyOf: kubernetesKey,
  normalize: withEmptyValues(dataFields),
  secretFields: dataFields.map((field) => [field]),
  hints: ({ data = {} }) =>
    Object.keys(data).flatMap((key): Hint[] => {
      const text = utf8Text(acceptedBytes(data[key] ?? ''));
      if (!/^[^\r\n]+\r?\n$/.test(text)) return [];
      const message = `the value of ${key} ends with a line end, which is part of it; \`echo\` leaves one, \`echo -n\` does not`;
      return [{ path: ['data', key], code: 'no-effect', message }];
    }),
});

/** A Secret with its values as text. */
export interface SecretSpec {
  key: ObjectKey;
  type: string;
  /** By key, from `data` and `stringData`; bytes that are not UTF-8 are U+FFFD. */
  data: Record<string, string>;
}

/** The values of a Secret. Throws `InvalidDocumentError`, which has none of them, when it is not valid. */
export function resolveSecret(document: unknown): SecretSpec {
  const read = readDocument(secretKind, document);
  const values = Object.entries(valuesOf(read)).map(([key, value]) => [key, value.text()]);
  return { key: kubernetesKey(read), type: read.type, data: Object.fromEntries(values) };
}
