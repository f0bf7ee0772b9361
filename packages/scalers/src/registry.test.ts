import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocuments, problemText } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { factsOf } from './catalogueFacts.ts';
import { knownTypes, ownTypes, unavailableTypes } from './catalogue.ts';
import { triggerProblems } from './check/triggerProblems.ts';
import { findScaler, scalers } from './registry.ts';

const types = scalers.map(({ type }) => type);

it('lists every scaler once, sorted by type', () => {
  expect(types).toEqual([...types].sort());
  expect(new Set(knownTypes).size).toBe(knownTypes.length);
  for (const type of types) expect(findScaler(type)?.type).toBe(type);
  expect(findScaler('kafak')).toBeUndefined();
  const others = unavailableTypes.map(({ type }) => type);
  expect(others).toEqual([...others].sort());
});

it('knows the trigger types of KEDA', () => {
  expect(types).toEqual(expect.arrayContaining([...ownTypes]));
  // 20 of them work here.
  expect(types.filter((type) => !ownTypes.includes(type))).toHaveLength(20);
  expect(unavailableTypes.length).toBeGreaterThanOrEqual(60);
});

describe.each(scalers.map((scaler) => [scaler.type, scaler] as const))('%s', (type, scaler) => {
  const indented = scaler.example.replace(/^(?=.)/gm, '      ').trimStart();
  const text = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: example }
spec:
  scaleTargetRef: { name: example }
  minReplicaCount: 1
  triggers:
    - ${indented}
`;

  it('has an example that is right', () => {
    const { documents, problems } = parseDocuments(text, { file: 'example.yaml' });
    const all = [...problems, ...documents.flatMap((document) => triggerProblems(document, documents))];
    expect(all.map(problemText)).toEqual([]);
    expect(scaler.example).toMatch(new RegExp(`^type: ${type}\n`));
  });

  it('says all that the documentation needs', () => {
    const { reaction, rights, notes } = scaler.documentation;
    expect(factsOf(type).testedAgainst).not.toBe('');
    for (const sentence of [scaler.summary, reaction, rights, ...notes]) expect(sentence).toMatch(/^\S.*[.!]$/s);
    for (const [name, { description, from, allowed }] of Object.entries(scaler.parameters)) {
      expect(description, name).toMatch(/^\S.*[.]$/s);
      expect(from.length, name).toBeGreaterThan(0);
      expect(allowed, name).not.toBe('');
    }
  });

  it('can be checked whatever is only known later', () => {
    const all = Object.entries(scaler.parameters).flatMap(([name, { from }]) =>
      from.includes('env') && !scaler.example.includes(` ${name}FromEnv:`)
        ? [[`${name}FromEnv`, 'SOME_VARIABLE'] as const]
        : [],
    );
    for (const hidden of [all, ...all.map((one) => [one])]) {
      const lines = hidden.map(([key, value]) => `\n        ${key}: ${value}`).join('');
      const changed = text.replace(
        /\n {6}metadata:/,
        `\n      authenticationRef: { name: elsewhere }\n      metadata:${lines}`,
      );
      const { documents } = parseDocuments(changed, { file: 'example.yaml' });
      expect(documents).toHaveLength(1);
      expect(() => documents.flatMap((document) => triggerProblems(document))).not.toThrow();
    }
  });
});

/** Needs the built package, as `npm test` makes it. */
const built = fileURLToPath(new URL('../dist/index.js', import.meta.url));
it.skipIf(!existsSync(built))('loads no client library before a trigger is opened', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve(name, context, next) { const found = next(name, context); seen.push(found.url); return found; } });
    await import(${JSON.stringify(`file://${built}`)});
    console.log(JSON.stringify(seen));`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const packages = new Set(
    (JSON.parse(out) as string[]).flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []),
  );
  expect(packages).toContain('croner');
  const heavy = ['amqplib', 'ioredis', 'mysql2', 'postgres', 'undici', 'fast-xml-parser', '@grpc/grpc-js'];
  for (const name of [...heavy, '@grpc/proto-loader', '@platformatic/kafka', '@nats-io/transport-node']) {
    expect(packages).not.toContain(name);
  }
});
