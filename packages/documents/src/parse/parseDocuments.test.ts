import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kindNames, kindOf } from '../kinds.ts';
import { problemText } from '../problem.ts';
import { resolveWorkload } from '../workload/resolve.ts';
import { parseDocuments } from './parseDocuments.ts';

const parse = (text: string) => parseDocuments(text, { file: 'w.yaml' });
const problemsOf = (text: string) => parse(text).problems.map(problemText);
const summary = (text: string) => parse(text).documents.map(({ kind, key, line }) => `${kind} ${key.name} ${line}`);

const head = 'apiVersion: ebb.dev/v1alpha1\nkind: Workload\n';
const small = (name: string) => `${head}metadata: { name: ${name} }\nspec: { classes: [{ command: [a] }] }\n`;

describe('forms of a text', () => {
  test('several documents, empty ones left out', () => {
    expect(summary(`# only a comment\n---\n${small('a')}---\n---\n${small('b')}...\n`)).toEqual([
      'Workload a 3',
      'Workload b 9',
    ]);
  });

  test('nothing at all', () => {
    expect(parse('')).toEqual({ documents: [], problems: [] });
    expect(parse('# nothing\n---\n')).toEqual({ documents: [], problems: [] });
  });

  test('JSON, indented with tabs', () => {
    const document = {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name: 'ü' },
      spec: { classes: [{ command: ['a'], prot: 1 }] },
    };
    expect(problemsOf(JSON.stringify(document, null, '\t'))[0]).toMatch(
      /^w\.yaml:5:11: error: metadata\.name "ü" must be/,
    );
    expect(problemsOf(JSON.stringify(document, null, '\t'))[1]).toMatch(
      /^w\.yaml:13:5: error: unknown field "prot" in spec\.classes\[0\]\n/,
    );
  });

  test('a byte order mark and Windows line ends move nothing', () => {
    expect(problemsOf(`\uFEFF${head}metadata: { name: a }\nspec: 3\n`.replaceAll('\n', '\r\n'))).toEqual([
      'w.yaml:4:7: error: spec must be a map, found 3',
    ]);
    expect(problemsOf(`\uFEFF3`)).toEqual([
      'w.yaml:1:1: error: a document is a map with apiVersion, kind, metadata and spec, found 3',
    ]);
  });

  test('columns count UTF-16 units, as editors do', () => {
    const text = `${head}metadata: { name: a, annotations: { note: "🦊é" }, bad: 1 }\nspec: { classes: [{ command: [a] }] }\n`;
    expect(parse(text).problems[0]).toMatchObject({ line: 3, column: 52 });
    expect(text.split('\n')[2]?.indexOf('bad')).toBe(51);
  });

  test('a Kubernetes List is taken apart, with its own places and paths', () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- ${small('a').trim().replaceAll('\n', '\n  ')}\n- apiVersion: ebb.dev/v1alpha1\n  kind: Cluster\n  metadata: { name: local }\n  spec: { typ: local }\n- 7\n`;
    expect(summary(text)).toEqual(['Workload a 4']);
    expect(parse(text).problems).toMatchObject([
      { line: 11, column: 11, path: 'items[1].spec.typ', suggestion: 'type' },
      { line: 12, column: 3, path: 'items[2]', code: 'not-a-document' },
    ]);
    expect(problemsOf('kind: List\nitems: none')).toEqual([
      'w.yaml:2:8: error: items of a List must be a list, found the string "none"',
    ]);
    expect(problemsOf('kind: List\n')).toEqual(['w.yaml:1:1: error: items of a List must be a list, found nothing']);
  });

  test('anchors, aliases and merges are filled in, and problems point to where the text stands', () => {
    const text = `${head}metadata: { name: a }\nspec:\n  classes:\n    - &one { name: one, command: [a], env: &env { A: x } }\n    - { <<: *one, name: two, env: { <<: *env, B: y } }\n`;
    const [document] = parse(text).documents;
    if (document?.kind !== 'Workload') throw new Error('not parsed');
    const { classes } = resolveWorkload(document.document, { baseDirectory: '/' });
    expect(classes.map(({ name, command, env }) => ({ name, command, env }))).toEqual([
      { name: 'one', command: ['a'], env: { A: 'x' } },
      { name: 'two', command: ['a'], env: { A: 'x', B: 'y' } },
    ]);
    expect(problemsOf(text.replace('[a]', 'a'))).toEqual([
      'w.yaml:6:34: error: spec.classes[0].command must be a list, found the string "a"; write [a]',
      'w.yaml:6:34: error: spec.classes[1].command must be a list, found the string "a"; write [a]',
    ]);
  });
});

const known = kindNames.join(', ');

describe('kinds', () => {
  test.each([
    ['kind: workload', [`w.yaml:1:7: error: unknown kind "workload"\n  allowed: ${known}\n  did you mean "Workload"?`]],
    ['a: 1', [`w.yaml:1:1: error: missing field "kind"\n  allowed: ${known}`]],
    ['kind: [a]', [`w.yaml:1:7: error: unknown kind a list\n  allowed: ${known}`]],
    ['- a', ['w.yaml:1:1: error: a document is a map with apiVersion, kind, metadata and spec, found a list']],
    [
      'apiVersion: eventing.keda.sh/v1alpha1\nkind: CloudEventSource',
      [
        `w.yaml:2:7: error: CloudEventSource (eventing.keda.sh/v1alpha1, KEDA) is not accepted yet; accepted are ${known}`,
      ],
    ],
    [
      'apiVersion: apps/v1\nkind: Deployment',
      [`w.yaml:2:7: error: Deployment (apps/v1, Kubernetes) is not accepted yet; accepted are ${known}`],
    ],
    [
      'apiVersion: karpenter.sh/v1\nkind: NodePool',
      [`w.yaml:2:7: error: NodePool (karpenter.sh/v1, Karpenter) is not accepted yet; accepted are ${known}`],
    ],
    [
      'apiVersion: ebb.dev/v1\nkind: Cluster\nmetadata: { name: a }',
      [
        'w.yaml:1:13: error: apiVersion has the unknown value "ebb.dev/v1"\n  allowed: ebb.dev/v1alpha1\n  did you mean "ebb.dev/v1alpha1"?',
      ],
    ],
    [
      'kind: Cluster\nmetadata: { name: a }',
      [
        'w.yaml:1:1: error: missing field "apiVersion"\n  allowed: ebb.dev/v1alpha1\n  did you mean "ebb.dev/v1alpha1"?',
      ],
    ],
    [
      'apiVersion: ebb.dev/v1alpha1\nkind: Cluster\nmetadata: { name: eu }\nspec: { type: kubernetes }',
      [
        'w.yaml:4:15: warning: clusters of type "kubernetes" need a mode that this version does not have; only local ones run replicas',
      ],
    ],
  ])('%s', (text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('a warning does not keep a document out', () => {
    expect(
      summary('apiVersion: ebb.dev/v1alpha1\nkind: Cluster\nmetadata: { name: eu }\nspec: { type: kubernetes }'),
    ).toEqual(['Cluster eu 1']);
  });

  test.each(kindNames)('the example of %s is right', (name) => {
    const { documents, problems } = parse(kindOf(name).example);
    expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    expect(documents.map((document) => document.kind)).toEqual([name]);
  });
});

describe('syntax', () => {
  test.each([
    [
      'tab',
      `${head}spec:\n\tclasses: []\n`,
      ['w.yaml:4:1: error: a tab stands where YAML wants spaces for indentation'],
    ],
    [
      'indentation',
      `${head}spec:\n    a: 1\n  b: 2\n`,
      ['w.yaml:5:1: error: this is not YAML: this line is indented neither like the line above nor like its parent'],
    ],
    [
      'colon',
      `${head}spec: a: b\n`,
      ['w.yaml:3:7: error: a second ": " in one line; put a value that contains ": " in quotes'],
    ],
    ['quote', 'a: "b\n', ['w.yaml:2:1: error: this is not YAML: missing closing "quote']],
    ['bracket', '{"a": 1', ['w.yaml:1:8: error: this is not YAML: flow map must end with a }']],
    ['stray sign', '}\n', ['w.yaml:1:1: error: this is not YAML: unexpected flow-map-end token in YAML document: "}"']],
    [
      'tag',
      'a: !!js/function "x"\n',
      ['w.yaml:1:4: error: unresolved tag: tag:yaml.org,2002:js/function; only plain YAML is read'],
    ],
    [
      'binary',
      'a: !!binary aGVsbG8=\n',
      ['w.yaml:1:13: error: only text, numbers, true, false, lists and maps are read'],
    ],
    ['key that is a list', '? [a, b]\n: c\n', ['w.yaml:1:3: error: a key must be text, not a list, a map or nothing']],
    ['alias', 'a: *b\n', ['w.yaml:1:4: error: *b has no anchor &b before it']],
    ['alias in itself', 'a: &b { c: *b }\n', ['w.yaml:1:12: error: *b stands inside its own anchor']],
    ['merge of text', 'a:\n  <<: text\n', ['w.yaml:2:7: error: << takes a map or a list of maps']],
    ['prototype', '__proto__: { polluted: 1 }\n', ['w.yaml:1:1: error: the key "__proto__" is not accepted']],
    ['NUL', 'a: \0\n', ['w.yaml:1:4: error: the file is not text: it contains a NUL character']],
  ])('%s', (_name, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test('duplicate keys are found with everything else', () => {
    expect(problemsOf(`${head}metadata: { name: a }\nmetadata: { name: b }\nspec: { classes: [] }\n`)).toEqual([
      'w.yaml:4:1: error: the key "metadata" is there twice in this map; the first one is at w.yaml:3:1',
      'w.yaml:5:18: error: spec.classes must not be empty',
    ]);
  });

  test('a document with a duplicate key is left out although the rest of it is right', () => {
    expect(summary(`${head}metadata: { name: a, name: b }\nspec: { classes: [{ command: [a] }] }\n`)).toEqual([]);
  });

  test('a broken document does not hide the others', () => {
    expect(summary(`a: [\n---\n${small('b')}`)).toEqual(['Workload b 3']);
  });

  test('names of the prototype are names like others', () => {
    const text = `${head}metadata: { name: a, labels: { constructor: x, toString: y } }\nspec: { classes: [{ command: [a], env: { hasOwnProperty: z } }] }\n`;
    expect(problemsOf(text)).toEqual([]);
    expect(problemsOf(`${small('a')}constructor: 1\n`)).toEqual([
      'w.yaml:5:1: error: unknown field "constructor" at the top of the document\n  allowed: apiVersion, kind, metadata, spec',
    ]);
  });
});

describe('hostile texts', () => {
  const quick = 5000;

  test('a YAML bomb', { timeout: quick }, () => {
    const lines = Array.from({ length: 12 }, (_, level) => {
      const inner = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    expect(problemsOf(lines.join('\n'))).toEqual([
      'w.yaml:5:10: error: aliases (*name) expand to more than 20000 values; write out what is needed',
    ]);
  });

  test('a bomb of merges', { timeout: quick }, () => {
    const lines = Array.from(
      { length: 40 },
      (_, level) => `b${level + 1}: &b${level + 1}\n  <<: [*b${level}, *b${level}]`,
    );
    expect(problemsOf(['b0: &b0 { x: 1 }', ...lines].join('\n'))).toMatchObject([
      /aliases \(\*name\) expand to more than 20000/,
    ]);
  });

  test.each([
    ['lists', '['],
    ['maps', '{a: '],
    ['dashes', '- '],
    ['question marks', '? '],
  ])('a million nested %s', { timeout: quick }, (_name, opening) => {
    expect(problemsOf(opening.repeat(1_000_000))).toMatchObject([/error: nested deeper than 64 levels$/]);
  });

  test.each([
    ['keys', Array.from({ length: 300_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['equal keys', 'k: 1\n'.repeat(300_000)],
    ['brackets that close nothing', '}'.repeat(4_000_000)],
    ['lists that never end', 'a: [\n'.repeat(800_000)],
    ['documents', '--- 1\n'.repeat(600_000)],
    ['directives', '%\n'.repeat(2_000_000)],
  ])('hundreds of thousands of %s', { timeout: quick }, (_name, text) => {
    const { documents, problems } = parse(text);
    expect(documents).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(101);
  });

  test('a file over the limit is refused unread', () => {
    expect(problemsOf('#'.repeat(4 * 1024 * 1024 + 1))).toEqual([
      'w.yaml:1:1: error: the file has 4194305 characters; at most 4194304 are read',
    ]);
  });

  test('two hundred problems: the first hundred and a line that says so', () => {
    const text = `${small('a')}${Array.from({ length: 200 }, (_, index) => `x${index}: 1`).join('\n')}\n`;
    const { problems } = parse(text);
    expect(problems).toHaveLength(101);
    expect(problems.map((problem) => problem.line)).toEqual([
      ...Array.from({ length: 100 }, (_, index) => index + 5),
      104,
    ]);
    expect(problems.at(-1)?.message).toBe('100 more problems are not shown; these are the first 100');
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void parse(text)));
    const words = [
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '<<: ',
      '"',
      "'",
      '|',
      '>',
      '#',
      '---\n',
      '!t ',
      '? ',
      '%',
      '\t',
      'kind: Workload',
      'kind: List',
      'items: ',
      'spec: ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 40 }), (parts) => void parse(parts.join(''))),
      { numRuns: 500 },
    );
  });

  test('no value in any place of a document makes it throw, and a refusal always has a place and words', () => {
    const whole: unknown = JSON.parse(JSON.stringify(parse(kindOf('Workload').example).documents[0]?.document));
    fc.assert(
      fc.property(fc.nat(60), fc.jsonValue({ maxDepth: 3 }), (position, value) => {
        const text = JSON.stringify(replaceNth(whole, position, value));
        for (const problem of parse(text).problems) {
          expect(problem.message).not.toMatch(/undefined|\[object|^$/);
          expect(problem.line).toBe(1);
          expect(problem.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The value with its nth part (counted depth first) replaced. */
function replaceNth(root: unknown, position: number, replacement: unknown): unknown {
  let seen = 0;
  const copy = (value: unknown): unknown => {
    const here = seen;
    seen += 1;
    if (here === position) return replacement;
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
  };
  return copy(root);
}
