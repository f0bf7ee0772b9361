import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidDocumentError } from '../invalidDocument.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { redactDocument } from '../redactDocument.ts';
import { resolveConfigMap } from './configMap.ts';
import { resolveSecret } from './secret.ts';

const read = (text: string) => parseDocuments(text, { file: 's.yaml' });
const messages = (text: string) => read(text).problems.map(problemText);
const secret = (rest: string) => `apiVersion: v1\nkind: Secret\nmetadata: { name: login }\n${rest}\n`;
const configMap = (rest: string) => secret(rest).replace('Secret', 'ConfigMap');
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a Secret', () => {
  test('as Kubernetes writes it out', () => {
    const text = `apiVersion: v1
kind: Secret
metadata:
  name: login
  namespace: shop
  uid: 9c0f
  resourceVersion: "7"
  creationTimestamp: "2026-01-01T00:00:00Z"
type: Opaque
immutable: true
data:
  user.name: ${base64('grüße')}
  _p-w: ${base64('a:b')}
  both: ${base64('old')}
  empty:
stringData:
  both: new
`;
    expect(messages(text)).toEqual([]);
    const [document] = read(text).documents;
    expect(resolveSecret(document?.document)).toEqual({
      key: { cluster: 'local', namespace: 'shop', name: 'login' },
      type: 'Opaque',
      data: { 'user.name': 'grüße', '_p-w': 'a:b', both: 'new', empty: '' },
    });
  });

  test('base64 over several lines, and bytes that are no text', () => {
    const wrapped = base64('x'.repeat(100)).replaceAll(/(.{20})/g, '$1\n    ');
    const text = secret(`data:\n  long: |\n    ${wrapped.trim()}\n  bytes: /wD+\n`);
    expect(messages(text)).toEqual([]);
    expect(resolveSecret(read(text).documents[0]?.document).data).toEqual({
      long: 'x'.repeat(100),
      bytes: '\uFFFD\0\uFFFD',
    });
  });

  test.each([
    [
      'data: { password: hunter2! }',
      's.yaml:4:19: error: data.password is not base64; plain text belongs in stringData',
    ],
    ['data: { password: YQ }', 's.yaml:4:19: error: data.password is not base64; plain text belongs in stringData'],
    [
      'data: { password: "aHVudGVyMg==\\thunter2" }',
      's.yaml:4:19: error: data.password is not base64; plain text belongs in stringData',
    ],
    [
      'stringData: { "pass word": hunter2 }',
      's.yaml:4:15: error: stringData: "pass word" must be up to 253 letters, digits, -, _ and ., and not be "." or begin with ".."',
    ],
    [
      'stringData: { "..password": hunter2 }',
      's.yaml:4:15: error: stringData: "..password" must be up to 253 letters, digits, -, _ and ., and not be "." or begin with ".."',
    ],
    [
      'type: kubernetes.io/ssh-auth',
      's.yaml:4:7: error: a Secret of type kubernetes.io/ssh-auth needs the key ssh-privatekey',
    ],
    [
      'type: kubernetes.io/tls\nstringData: { tls.crt: hunter2 }',
      's.yaml:4:7: error: a Secret of type kubernetes.io/tls needs the key tls.key',
    ],
    [
      'type: kubernetes.io/basic-auth\nstringData: { user: hunter2 }',
      's.yaml:4:7: error: a Secret of type kubernetes.io/basic-auth needs the key username or password',
    ],
    [
      'type: kubernetes.io/service-account-token',
      's.yaml:4:7: error: a Secret of type kubernetes.io/service-account-token needs the annotation kubernetes.io/service-account.name',
    ],
    [
      'type: kubernetes.io/dockerconfigjson\nstringData: { .dockerconfigjson: "{hunter2" }',
      's.yaml:5:34: error: the key .dockerconfigjson of a Secret of type kubernetes.io/dockerconfigjson must be JSON',
    ],
    [
      'stringData: { password: 20240607 }',
      's.yaml:4:25: error: stringData.password must be a string, found a number; write it in quotes',
    ],
    [
      'stringData: { password: true }',
      's.yaml:4:25: error: stringData.password must be a string, found true or false; write it in quotes',
    ],
    [
      'stringData: { password: { hunter2: hunter2 } }',
      's.yaml:4:25: error: stringData.password must be a string, found a map',
    ],
    ['stringData: hunter2', 's.yaml:4:13: error: stringData must be a map, found a string'],
    [
      'stringdata: { password: hunter2 }',
      's.yaml:4:1: error: unknown field "stringdata" at the top of the document\n' +
        '  allowed: apiVersion, kind, metadata, type, immutable, data, stringData, status\n  did you mean "stringData"?',
    ],
    ['immutable: "yes"', 's.yaml:4:12: error: immutable must be true or false, found the string "yes"'],
  ])('%s', (rest, expected) => {
    expect(messages(secret(rest))).toEqual([expected]);
  });

  test('more than a mebibyte', () => {
    const half = 'a'.repeat(512 * 1024);
    expect(messages(secret(`data: { a: ${base64(half)} }\nstringData: { b: ${half} }`))).toEqual([]);
    expect(messages(secret(`data: { a: ${base64(half)} }\nstringData: { b: ${half}a }`))).toEqual([
      's.yaml:4:7: error: the values of the Secret have 1048577 bytes together; at most 1048576 (1 MiB) are accepted',
    ]);
  });

  test('a line end that `echo` left is told', () => {
    expect(messages(secret(`data: { password: ${base64('hunter2\n')}, cert: ${base64('a\nb\n')} }`))).toEqual([
      's.yaml:4:19: warning: the value of password ends with a line end, which is part of it; `echo` leaves one, `echo -n` does not',
    ]);
  });

  test('other kinds of v1 keep their plain answer', () => {
    expect(messages('apiVersion: v1\nkind: Service\nmetadata: { name: a }')).toEqual([
      expect.stringContaining('Service (v1, Kubernetes) is not accepted yet'),
    ]);
    expect(messages('apiVersion: v1\nkind: secret\nmetadata: { name: a }')).toEqual([
      expect.stringContaining('did you mean "Secret"?'),
    ]);
  });
});

describe('no value of a Secret is ever shown', () => {
  const value = 'hunter2';

  test.each([
    `stringData: { password: *${value} }`,
    `stringData: { password: !${value} x }`,
    `stringData: { password: @${value} }`,
    `stringData: { password: "${value}" ${value} }`,
    `stringData:\n  password: |${value}\n  x`,
    `stringData:\n  password: "a\\q${value}"`,
    `stringData:\n  password: a: ${value}`,
    `stringData:\n  password: |\n ${value}`,
    `stringData: [${value}, }`,
    `stringData: ["${value}"]`,
    `stringData: { password: [${value}] }`,
    `stringData: { a: { b: [{ c: ${value} }] } }`,
    `data: ${value}`,
    `data: [${value}]`,
    `data: { password: ${value} }`,
    `data: { "bad key": ${value} }`,
    `type: kubernetes.io/tls\ndata: { tls.key: ${base64(value)}, tls.crt: ${value} }`,
    `stringData:\n  a: ${value}\n  a: ${value}`,
    `stringData: { <<: ${value} }`,
    `stringData:\n- ${value}`,
    `stringData:\npassword: ${value}`,
  ])('%s', (rest) => {
    const { documents, problems } = read(secret(rest));
    expect(documents).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain(value);
    expect(JSON.stringify(problems)).not.toContain(base64(value).replaceAll('=', ''));
  });

  test('whatever stands in whatever place', () => {
    const places = ['data', 'stringData'] as const;
    const mark = 'S3cr3tMark';
    const marked = fc.constantFrom<unknown>(mark, [mark], { k: mark }, { k: { l: mark } }, [{ k: mark }], `*${mark}`);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.boolean(), marked, (place, isWhole, inner) => {
        const document = {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'a' },
          [place]: isWhole ? inner : { key: inner },
        };
        expect(JSON.stringify(read(JSON.stringify(document)).problems)).not.toContain(mark);
        try {
          resolveSecret(document);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidDocumentError);
          expect(String(error)).not.toContain(mark);
          expect(JSON.stringify(error)).not.toContain(mark);
        }
      }),
    );
  });

  test('redactDocument hides values, the copy that kubectl keeps and nothing else', () => {
    const stored = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'login',
        annotations: { a: 'b', 'kubectl.kubernetes.io/last-applied-configuration': `{"password":"${value}"}` },
      },
      type: 'Opaque',
      data: { user: base64(value), number: 3 },
      stringData: { password: value, odd: { deep: [value] } },
    };
    const before = structuredClone(stored);
    expect(redactDocument('Secret', stored)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'login',
        annotations: { a: 'b', 'kubectl.kubernetes.io/last-applied-configuration': '***' },
      },
      type: 'Opaque',
      data: { user: '***', number: '***' },
      stringData: { password: '***', odd: { deep: ['***'] } },
    });
    expect(stored).toEqual(before);
    expect(JSON.stringify(redactDocument('Secret', { data: value, stringData: [value] }))).not.toContain(value);
    expect(redactDocument('Secret', null)).toBe(null);
    expect(redactDocument('ConfigMap', stored)).toBe(stored);
  });
});

describe('a ConfigMap', () => {
  test('has text and bytes', () => {
    const text = configMap('data:\n  a: x\n  config.yaml: |\n    k: v\n  empty:\nbinaryData: { b: /wD+ }');
    expect(messages(text)).toEqual([]);
    expect(resolveConfigMap(read(text).documents[0]?.document)).toEqual({
      key: { cluster: 'local', namespace: 'default', name: 'login' },
      data: { a: 'x', 'config.yaml': 'k: v\n', empty: '' },
      binaryData: { b: new Uint8Array([255, 0, 254]) },
    });
  });

  test.each([
    ['data: { a: 1 }', 's.yaml:4:12: error: data.a must be a string, found 1; write it in quotes: "1"'],
    ['binaryData: { a: "?" }', 's.yaml:4:18: error: binaryData.a "?" is not base64; plain text belongs in data'],
    [
      'data: { a: x }\nbinaryData: { a: eA== }',
      's.yaml:5:18: error: the key a is in data and in binaryData; a is at s.yaml:4:12',
    ],
    [
      'data: { "a/b": x }',
      's.yaml:4:9: error: data: "a/b" must be up to 253 letters, digits, -, _ and ., and not be "." or begin with ".."',
    ],
  ])('%s', (rest, expected) => {
    expect(messages(configMap(rest))).toEqual([expected]);
  });

  test('more than a mebibyte, in bytes and not in letters', () => {
    expect(messages(configMap(`data: { a: ${'ä'.repeat(512 * 1024)} }`))).toEqual([]);
    expect(messages(configMap(`data: { a: ${'ä'.repeat(512 * 1024)}x }`))).toEqual([
      expect.stringContaining('the values of the ConfigMap have 1048577 bytes together'),
    ]);
  });
});
