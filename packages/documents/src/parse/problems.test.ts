import { describe, expect, test } from 'vitest';
import { problemText } from '../problem.ts';
import { parseDocuments } from './parseDocuments.ts';

/** The problems of a text, as a person sees them. */
function problemsOf(text: string): string[] {
  return parseDocuments(text, { file: 'w.yaml' }).problems.map(problemText);
}

/** A Workload whose spec is the given lines, each of which stands where it is written: line 5, indented by two. */
function workload(spec: string): string {
  return `apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: a }\nspec:\n${spec
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`;
}

const run = 'classes: [{ command: [a] }]\n';
const classFields =
  'name, command, env, envFromHost, workingDirectory, port, resources, concurrency, accepts, pricePerHour, currency, terminationGrace';
const specFields =
  'cluster, classes, probes, serving, scaling, update, sizing, priority, dependsOn, interruption, placement';

describe('fields', () => {
  test.each([
    [
      'unknown, with a near one',
      'classes: [{ comand: [a] }]',
      [
        'w.yaml:5:13: error: missing field "command" in spec.classes[0]',
        `w.yaml:5:15: error: unknown field "comand" in spec.classes[0]\n  allowed: ${classFields}\n  did you mean "command"?`,
      ],
    ],
    [
      'unknown here, known elsewhere',
      `${run}minReplicas: 1`,
      [`w.yaml:6:3: error: unknown field "minReplicas" in spec; it belongs in spec.scaling\n  allowed: ${specFields}`],
    ],
    ['missing', 'scaling: {}', ['w.yaml:4:1: error: missing field "classes" in spec']],
    ['empty list', 'classes: []', ['w.yaml:5:12: error: spec.classes must not be empty']],
    [
      'without a value',
      `${run}scaling:`,
      ['w.yaml:6:3: error: spec.scaling has no value; leave it out, or write a map'],
    ],
    [
      'a string for a map',
      `${run}scaling: high`,
      ['w.yaml:6:12: error: spec.scaling must be a map, found the string "high"'],
    ],
    ['a map for a list', 'classes: { command: [a] }', ['w.yaml:5:12: error: spec.classes must be a list, found a map']],
    [
      'a number in quotes',
      `${run}priority: "3"`,
      ['w.yaml:6:13: error: spec.priority must be a number, found the string "3"; write it without quotes'],
    ],
    ['a broken number', `${run}priority: 1.5`, ['w.yaml:6:13: error: spec.priority must be a whole number, found 1.5']],
    [
      'infinity',
      `${run}scaling: { triggers: [{ type: requestRate, target: .inf }] }`,
      ['w.yaml:6:54: error: spec.scaling.triggers[0].target must be a number, found Infinity'],
    ],
    [
      'one of a few values',
      `${run}serving: { balancing: roundrobin }`,
      [
        'w.yaml:6:25: error: spec.serving.balancing has the unknown value "roundrobin"\n' +
          '  allowed: leastConnections, roundRobin, random\n  did you mean "roundRobin"?',
      ],
    ],
    [
      'a boolean where words are wanted',
      `${run}interruption: true`,
      ['w.yaml:6:17: error: spec.interruption has the unknown value true\n  allowed: never, allowed'],
    ],
  ])('%s', (_name, spec, expected) => {
    expect(problemsOf(workload(spec))).toEqual(expected);
  });
});

describe('classes', () => {
  test.each([
    [
      'command: node worker.mjs',
      'w.yaml:5:24: error: spec.classes[0].command must be a list, found the string "node worker.mjs"; write [node, worker.mjs]',
    ],
    [
      'command: "cd x && node w.mjs"',
      'w.yaml:5:24: error: spec.classes[0].command must be a list, found the string "cd x && node w.mjs"; write [sh, -c, "…"] if it needs a shell',
    ],
    ['command: []', 'w.yaml:5:24: error: spec.classes[0].command must not be empty'],
    ['command: [""]', 'w.yaml:5:25: error: spec.classes[0].command[0] "" must name a program, not be empty'],
    [
      'command: [a, 1.10]',
      'w.yaml:5:28: error: spec.classes[0].command[1] must be a string, found 1.1; write it in quotes: "1.10"',
    ],
    [
      'command: [a], env: { N: 8080 }',
      'w.yaml:5:39: error: spec.classes[0].env.N must be a string, found 8080; write it in quotes: "8080"',
    ],
    [
      'command: [a], env: { PORT: "80" }',
      'w.yaml:5:36: error: spec.classes[0].env: "PORT" is set by Ebb for every replica; leave it out',
    ],
    [
      'command: [a], env: [{ name: A, value: x }, { name: A }]',
      'w.yaml:5:66: error: variable "A" is there twice; name is at w.yaml:5:43',
    ],
    [
      'command: [a], env: A=1',
      'w.yaml:5:34: error: spec.classes[0].env must be a map or a list, found the string "A=1"',
    ],
    [
      'command: [a], port: http',
      'w.yaml:5:35: error: spec.classes[0].port must be "auto" or a number, found the string "http"',
    ],
    ['command: [a], port: 70000', 'w.yaml:5:35: error: spec.classes[0].port must be at most 65535, found 70000'],
    [
      'command: [a], workingDirectory: ~/models',
      'w.yaml:5:47: error: spec.classes[0].workingDirectory "~/models" begins with ~, which only a shell expands; write the whole path',
    ],
    [
      'command: [a], resources: { requests: { memory: 400m } }',
      'w.yaml:5:62: error: spec.classes[0].resources.requests.memory: "400m" is not a whole number of bytes (m means thousandths)\n  did you mean "400Mi"?',
    ],
    [
      'command: [a], resources: { requests: { cpu: 2 }, limits: { cpu: 500m } }',
      'w.yaml:5:79: error: the cpu limit 500m is less than the cpu request 2; cpu is at w.yaml:5:59',
    ],
    [
      'command: [a], pricePerHour: 0.1234567',
      'w.yaml:5:43: error: spec.classes[0].pricePerHour: "0.1234567" has more than six decimals',
    ],
    [
      'command: [a], terminationGrace: 30',
      'w.yaml:5:47: error: spec.classes[0].terminationGrace: 30 has no unit; write 30s for seconds or 30ms for milliseconds',
    ],
    ['command: [a], concurrency: -1', 'w.yaml:5:42: error: spec.classes[0].concurrency must be at least 0, found -1'],
  ])('{ %s }', (fields, expected) => {
    expect(problemsOf(workload(`classes: [{ ${fields} }]`))).toEqual([expected]);
  });

  test('names and currencies are compared between classes', () => {
    const spec = 'classes:\n  - { command: [a] }\n  - { command: [b] }\n  - { name: c, command: [c], currency: EUR }';
    expect(problemsOf(workload(spec))).toEqual([
      'w.yaml:7:7: error: class "default" is there twice; name is left at its default',
      'w.yaml:8:42: error: the class is priced in EUR, the first class in USD; currency is left at its default',
    ]);
  });
});

describe('probes and serving', () => {
  test.each([
    [
      'probes: { startup: { http: {}, tcp: {} } }',
      'w.yaml:6:39: error: a probe does one of http, tcp and exec, found http and tcp; http is at w.yaml:6:30',
    ],
    [
      'probes: { readiness: { tcp: } }',
      'w.yaml:6:26: error: spec.probes.readiness.tcp has no value; leave it out, or write a map',
    ],
    [
      'probes: { liveness: {} }',
      'w.yaml:6:23: error: a liveness probe needs one of http, tcp and exec\n  allowed: http, tcp, exec',
    ],
    [
      'probes: { readiness: { period: 0s } }',
      'w.yaml:6:34: error: spec.probes.readiness.period: "0s" is too short; the shortest is 1ms',
    ],
    [
      'serving: { routes: [{}] }',
      'w.yaml:6:23: error: a route needs at least one of host, pathPrefix, headers and model\n  allowed: host, pathPrefix, headers, model',
    ],
    [
      'serving: { routes: [{ pathPrefix: up }] }',
      'w.yaml:6:37: error: spec.serving.routes[0].pathPrefix "up" must begin with / and have no spaces, ? or #',
    ],
    [
      'serving: { routes: [{ pathPrefix: /up }, { pathPrefix: /up/ }] }',
      'w.yaml:6:44: error: the route path /up is there twice; routes is at w.yaml:6:23',
    ],
    [
      'serving: { affinity: { header: a, cookie: b } }',
      'w.yaml:6:45: error: affinity goes by one of header and cookie, found both; header is at w.yaml:6:34',
    ],
    ['serving: { affinity: {} }', 'w.yaml:6:24: error: affinity goes by one of header and cookie, found neither'],
    [
      'serving: { routes: [{ host: a, headers: { X: "1", x: "2" } }] }',
      'w.yaml:6:56: error: spec.serving.routes[0].headers.x: header "x" is there twice; names are compared without regard to case',
    ],
    [
      'serving: { buffer: { maxBodySize: 300Mi } }',
      'w.yaml:6:37: error: maxBodySize 300Mi is larger than maxTotalSize 256Mi; maxTotalSize is left at its default',
    ],
  ])('%s', (line, expected) => {
    expect(problemsOf(workload(run + line))).toEqual([expected]);
  });
});

describe('scaling', () => {
  test.each([
    [
      'minReplicas: 5, maxReplicas: 3',
      'w.yaml:6:27: error: minReplicas 5 is larger than maxReplicas 3; maxReplicas is at w.yaml:6:43',
    ],
    [
      'minReplicas: 2',
      'w.yaml:6:27: error: minReplicas 2 is larger than maxReplicas 1; maxReplicas is left at its default',
    ],
    [
      'minReplicas: 2, maxReplicas: 3, initialReplicas: 1',
      'w.yaml:6:63: error: initialReplicas 1 is less than minReplicas 2; minReplicas is at w.yaml:6:27',
    ],
    [
      'maxReplicas: 3, initialReplicas: 4',
      'w.yaml:6:47: error: initialReplicas 4 is larger than maxReplicas 3; maxReplicas is at w.yaml:6:27',
    ],
    [
      'maxReplicas: 3, paused: { replicas: 4 }',
      'w.yaml:6:50: error: replicas 4 is larger than maxReplicas 3; maxReplicas is at w.yaml:6:27',
    ],
    [
      'paused: maybe',
      'w.yaml:6:22: error: spec.scaling.paused must be true or false or a map, found the string "maybe"',
    ],
    [
      'windows: { stable: 6s }',
      'w.yaml:6:14: error: the panic window 6s must be shorter than the stable window 6s; stable is at w.yaml:6:33',
    ],
    [
      'triggers: [{ type: requestrate, target: 1 }]',
      'w.yaml:6:33: error: spec.scaling.triggers[0].type has the unknown value "requestrate"\n  allowed: concurrency, requestRate\n  did you mean "requestRate"?',
    ],
    [
      'triggers: [{ target: 1 }]',
      'w.yaml:6:25: error: missing field "type" in spec.scaling.triggers[0]\n  allowed: concurrency, requestRate',
    ],
    [
      'triggers: [{ type: concurrency, target: 2 }]',
      'w.yaml:6:54: error: the target 2 is more than a replica works on at once (concurrency 1); concurrency is left at its default',
    ],
    [
      'triggers: [{ type: requestRate, target: 2 }, { name: requestRate, type: concurrency, target: 1 }]',
      'w.yaml:6:67: error: trigger "requestRate" is there twice; type is at w.yaml:6:33',
    ],
    [
      'schedules: [{ name: a, timezone: Europe/Berln, start: "0 8 * * *", end: "0 9 * * *", minReplicas: 1 }]',
      'w.yaml:6:47: error: spec.scaling.schedules[0].timezone: "Europe/Berln" is not a time zone; write an IANA name, such as Europe/Berlin or UTC\n  did you mean "Europe/Berlin"?',
    ],
    [
      'schedules: [{ name: a, start: "0 25 * * *", end: "0 9 * * *", minReplicas: 1 }]',
      'w.yaml:6:44: error: spec.scaling.schedules[0].start: "0 25 * * *": the hour 25 is not within 0 to 23',
    ],
    [
      'schedules: [{ name: a, start: "0  8 * * *", end: "0 8 * * *", minReplicas: 1 }]',
      'w.yaml:6:63: error: start and end are the same moments, so the schedule is never on; start is at w.yaml:6:44',
    ],
    [
      'schedules: [{ name: a, start: "0 8 * * *", end: "0 9 * * *", minReplicas: 2 }]',
      'w.yaml:6:88: error: minReplicas 2 is larger than maxReplicas 1; maxReplicas is left at its default',
    ],
    [
      'behavior: { scaleUp: { policies: [{ type: pods, value: 0 }] } }',
      [
        'w.yaml:6:56: error: spec.scaling.behavior.scaleUp.policies[0].type has the unknown value "pods"\n  allowed: Pods, Percent\n  did you mean "Pods"?',
        'w.yaml:6:69: error: spec.scaling.behavior.scaleUp.policies[0].value must be at least 1, found 0',
      ],
    ],
  ])('{ %s }', (fields, expected) => {
    expect(problemsOf(workload(`${run}scaling: { ${fields} }`))).toEqual([expected].flat());
  });
});

describe('rest of a Workload', () => {
  test.each([
    ['dependsOn: [a]', 'w.yaml:6:15: error: the workload depends on itself ("a"); name is at w.yaml:3:19'],
    [
      'dependsOn: [{ namespace: default, name: a }]',
      'w.yaml:6:15: error: the workload depends on itself ("a"); name is at w.yaml:3:19',
    ],
    ['dependsOn: [3]', 'w.yaml:6:15: error: spec.dependsOn[0] must be a string or a map, found 3'],
    [
      'dependsOn: [{ nam: x, name: b }]',
      'w.yaml:6:17: error: unknown field "nam" in spec.dependsOn[0]\n  allowed: namespace, name\n  did you mean "name"?',
    ],
    [
      'update: { maxSurge: 0 }',
      'w.yaml:6:23: error: maxSurge and maxUnavailable are both 0, so no replica could ever be replaced; maxUnavailable is left at its default',
    ],
  ])('%s', (line, expected) => {
    expect(problemsOf(workload(run + line))).toEqual([expected]);
  });

  test('a dependency of the same name in another namespace is another workload', () => {
    expect(problemsOf(workload(`${run}dependsOn: [{ namespace: other, name: a }]`))).toEqual([]);
  });

  test.each([
    [
      'My_App',
      'metadata.name "My_App" must be lower-case letters, digits and dashes, and begin and end with a letter or digit',
    ],
    [
      '"-a"',
      'metadata.name "-a" must be lower-case letters, digits and dashes, and begin and end with a letter or digit',
    ],
    ['7', 'metadata.name must be a string, found 7; write it in quotes: "7"'],
    ['a'.repeat(64), 'metadata.name must have at most 63 characters, found 64'],
  ])('metadata.name %s', (name, message) => {
    const text = workload(run).replace('name: a', `name: ${name}`);
    expect(problemsOf(text)).toEqual([`w.yaml:3:19: error: ${message}`]);
  });

  test('the status belongs to Ebb', () => {
    expect(problemsOf(`${workload(run)}status: {}`)).toEqual([
      'w.yaml:7:1: error: unknown field "status" at the top of the document; Ebb writes the status by itself\n  allowed: apiVersion, kind, metadata, spec',
    ]);
  });

  test('a rule speaks up although other fields of its section are wrong', () => {
    expect(problemsOf(workload(`${run}scaling: { minReplicas: 5, maxReplicas: 3, keepAlive: 5, bad: 1 }`))).toEqual([
      'w.yaml:6:27: error: minReplicas 5 is larger than maxReplicas 3; maxReplicas is at w.yaml:6:43',
      'w.yaml:6:57: error: spec.scaling.keepAlive: 5 has no unit; write 5s for seconds or 5ms for milliseconds',
      'w.yaml:6:60: error: unknown field "bad" in spec.scaling\n  allowed: minReplicas, maxReplicas, initialReplicas, policy, windows, triggers, keepAlive, behavior, schedules, events, paused',
    ]);
  });

  test('a problem carries all that a tool needs', () => {
    const { problems } = parseDocuments(workload(`${run}scaling: { minReplicas: 5, maxReplicas: 3 }`), {
      file: 'w.yaml',
    });
    expect(problems).toEqual([
      {
        severity: 'error',
        code: 'out-of-bounds',
        message: 'minReplicas 5 is larger than maxReplicas 3; maxReplicas is at w.yaml:6:43',
        file: 'w.yaml',
        line: 6,
        column: 27,
        path: 'spec.scaling.minReplicas',
        found: '5',
        related: [{ path: 'spec.scaling.maxReplicas', line: 6, column: 43 }],
      },
    ]);
  });
});
