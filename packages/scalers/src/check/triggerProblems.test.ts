import { type ParsedDocument, parseDocuments, type Problem } from '@ebb/documents';
import { describe, expect, it, test } from 'vitest';
import { knownKeys } from '../contract/readSettings.ts';
import { scalers } from '../registry.ts';
import { triggerProblems } from './triggerProblems.ts';

function problemsOf(text: string): Problem[] {
  const { documents } = parseDocuments(text, { file: 'k.yaml' });
  return documents.flatMap((document: ParsedDocument) => triggerProblems(document, documents));
}

const scaledObject = (trigger: string) => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: mailer }
spec:
  scaleTargetRef: { name: mailer }
  minReplicaCount: 1
  triggers:
    - ${trigger.replace(/\n/g, '\n      ')}
`;

function linesOf(text: string): string[] {
  return problemsOf(text).map(
    ({ line, column, severity, code, message, suggestion }) =>
      `${line}:${column} ${severity} ${code}: ${message}${suggestion ? ` (${suggestion}?)` : ''}`,
  );
}

const kafka = `type: kafka
name: lag
metadata:
  bootstrapServers: kafka:9092
  consumerGroup: mailer
  topic: mails`;

it('has nothing to say about a trigger that is right', () => {
  expect(linesOf(scaledObject(kafka))).toEqual([]);
  expect(linesOf(scaledObject(`${kafka}\n  lagThreshold: "50"\n  activationLagThreshold: "5"`))).toEqual([]);
});

describe('tells, at its place and with what KEDA would do,', () => {
  it('a setting that is missing', () => {
    expect(linesOf(scaledObject(kafka.replace('  consumerGroup: mailer\n', '')))).toEqual([
      '10:7 error missing-field: trigger "lag" (kafka): consumerGroup is missing: give text as metadata.consumerGroup, or ' +
        'as metadata.consumerGroupFromEnv; KEDA would set Ready=False when it runs',
    ]);
  });

  it('a value that is wrong', () => {
    expect(linesOf(scaledObject(`${kafka}\n  lagThreshold: many`))).toEqual([
      '14:23 error invalid-value: trigger "lag" (kafka): lagThreshold must be a whole number, more than 0, found "many"; ' +
        'KEDA would set Ready=False when it runs',
    ]);
  });

  it('settings that do not go together', () => {
    expect(linesOf(scaledObject(kafka.replace('  topic: mails', '  limitToPartitionsWithLag: "true"')))).toEqual([
      '13:35 error invalid-value: trigger "lag" (kafka): limitToPartitionsWithLag needs a topic; ' +
        'KEDA would set Ready=False when it runs',
    ]);
  });

  it('a misspelt key, and what it was to be', () => {
    expect(linesOf(scaledObject(`${kafka}\n  lagTreshold: "50"`))).toEqual([
      '14:9 warning unknown-setting: trigger "lag" (kafka): kafka does not know lagTreshold: it is not read, as in KEDA ' +
        '(lagThreshold?)',
    ]);
    expect(linesOf(scaledObject(kafka.replace('consumerGroup', 'consumergroup')))).toEqual([
      expect.stringMatching(/^10:7 error missing-field: .*consumerGroup is missing/),
      expect.stringMatching(/^12:9 warning unknown-setting: .*consumergroup.*\(consumerGroup\?\)$/),
    ]);
  });

  it('a key that is not a name, at its place', () => {
    expect(linesOf(scaledObject(`${kafka}\n  "a.b c": x`))).toEqual([
      expect.stringMatching(/^14:9 warning unknown-setting: .*a\.b c/),
    ]);
  });

  it('fields of the trigger that slipped into its metadata', () => {
    expect(linesOf(scaledObject(`${kafka}\n  metricType: Value`))).toEqual([
      '14:9 warning misplaced-setting: trigger "lag" (kafka): metricType belongs to the trigger, beside metadata',
    ]);
  });

  it('a key that is deprecated', () => {
    const trigger = 'type: rabbitmq\nname: q\nmetadata:\n  hostFromEnv: URL\n  queueName: mails\n  queueLength: "5"';
    expect(linesOf(scaledObject(trigger))).toEqual([
      '13:9 warning deprecated: trigger "q" (rabbitmq): queueLength is deprecated: write mode: QueueLength and value',
    ]);
  });

  it('the value of a cpu trigger by its metric type', () => {
    const cpu = (value: string) =>
      scaledObject(`type: cpu\nname: c\nmetricType: Utilization\nmetadata: { value: "${value}" }`);
    expect(linesOf(cpu('60'))).toEqual([]);
    expect(linesOf(cpu('500m'))).toEqual([
      expect.stringMatching(/^11:26 error invalid-value: .*whole per cent above 0/),
    ]);
    expect(linesOf(cpu('lots'))).toHaveLength(1);
  });

  it('an own trigger without a word on KEDA', () => {
    expect(linesOf(scaledObject('type: gpu\nname: g\nmetadata: {}'))).toEqual([
      '10:7 error missing-field: trigger "g" (gpu): value is missing: give a number, more than 0 as metadata.value',
    ]);
  });
});

it('never shows a password that stands where it is not read', () => {
  const trigger =
    'type: postgresql\nname: p\nmetadata:\n  query: select 1\n  targetQueryValue: "1"\n  connectionFromEnv: URL\n  password: hunter2';
  const problems = problemsOf(scaledObject(trigger));
  expect(problems).toMatchObject([
    {
      severity: 'warning',
      code: 'misplaced-setting',
      message:
        'trigger "p" (postgresql): password is not read from metadata: give it by the trigger\'s authentication or as ' +
        'metadata.passwordFromEnv',
    },
  ]);
  expect(JSON.stringify(problems)).not.toContain('hunter2');
});

it('tells a variable that is not read', () => {
  expect(linesOf(scaledObject(`${kafka}\n  lagThresholdFromEnv: LAG`))).toEqual([
    expect.stringMatching(
      /^14:9 warning misplaced-setting: .*lagThreshold is not read from a variable.*metadata.lagThreshold$/,
    ),
  ]);
});

test('types that are not available, and types that do not exist', () => {
  expect(linesOf(scaledObject('type: aws-sqs-queue\nname: q\nmetadata: {}'))).toEqual([
    '8:13 warning unsupported-trigger: trigger "q" (aws-sqs-queue): Amazon SQS is not available here: it is shown as ' +
      'Unsupported, holds the last capacity and never counts as 0',
  ]);
  expect(linesOf(scaledObject('type: kafak\nname: q\nmetadata: {}'))).toEqual([
    '8:13 error unknown-trigger: trigger "q" (kafak): there is no trigger type "kafak"; KEDA would set Ready=False when ' +
      'it runs (kafka?)',
  ]);
});

test('a scaler outside has keys of its own', () => {
  const trigger = 'type: external\nname: e\nmetadata: { scalerAddress: "s:6000", anything: "1", name: n }';
  expect(linesOf(scaledObject(trigger))).toEqual([]);
  expect(linesOf(scaledObject('type: external\nmetadata: { anything: "1" }'))).toHaveLength(1);
});

describe('with an authentication', () => {
  const trigger = 'type: rabbitmq\nname: q\nauthenticationRef: { name: login }\nmetadata: { queueName: mails }';
  const login = (parameter: string, more = '') => `---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: login }
spec:
  secretTargetRef:
    - { parameter: ${parameter}, name: rabbit, key: url }
${more}`;

  it('that is not among the documents, what is missing may come from it', () => {
    expect(linesOf(scaledObject(trigger))).toEqual([]);
  });

  it('that gives what is missing, nothing is wrong', () => {
    expect(linesOf(scaledObject(trigger) + login('host'))).toEqual([]);
  });

  it('that gives something else, both are told', () => {
    expect(linesOf(scaledObject(trigger) + login('hots'))).toEqual([
      '11:7 error missing-field: trigger "q" (rabbitmq): host is missing: neither the metadata nor the ' +
        'TriggerAuthentication "login" gives it; KEDA would set Ready=False when it runs',
      '18:20 warning unknown-setting: the parameter hots is not known by the triggers that use this ' +
        'TriggerAuthentication (rabbitmq) (host?)',
    ]);
  });

  it('that may give more than it names, nothing is missing', () => {
    expect(linesOf(scaledObject(trigger) + login('username', '  filePath: /keda/login.json\n'))).toEqual([]);
  });

  it('that gives what is only read from metadata', () => {
    expect(linesOf(scaledObject(trigger) + login('queueName', '    - { parameter: host, name: r, key: u }\n'))).toEqual(
      [
        expect.stringMatching(
          /^18:20 warning misplaced-setting: the parameter queueName is not read from an authentication/,
        ),
      ],
    );
  });
});

test('percent of a request that the workload does not have', () => {
  const workload = (resources: string) => `---
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: mailer }
spec:
  classes: [{ name: default, command: [node, worker.mjs]${resources} }]
`;
  const object = scaledObject('type: cpu\nname: c\nmetricType: Utilization\nmetadata: { value: "60" }');
  expect(linesOf(object + workload(', resources: { requests: { cpu: 500m } }'))).toEqual([]);
  expect(linesOf(object + workload(''))).toEqual([
    expect.stringMatching(
      /^8:13 error missing-field: .*no request or limit for cpu in "default"; KEDA's admission would/,
    ),
  ]);
});

/** Whether a letter less, or the same letters in another order, make one of the other: `host` and `hosts` for `hots`. */
function isAsNear(known: string, written: string): boolean {
  const sorted = (text: string) => [...text].sort().join('');
  const shorter = [...known].map((_letter, index) => known.slice(0, index) + known.slice(index + 1));
  return shorter.includes(written) || sorted(known) === sorted(written);
}

// A letter left out, or another case, is the mistake that KEDA never tells.
describe.each(scalers.map((scaler) => [scaler.type, scaler] as const))('%s', (_type, { parameters, type }) => {
  const metricType = type === 'cpu' || type === 'memory' ? '\nmetricType: Utilization' : '';
  // A scaler outside may have keys that are as near as that.
  const keys = type.startsWith('external') ? [] : knownKeys(parameters).filter((key) => key.length > 4);
  it.skipIf(keys.length === 0)('names the known key that is a letter or a case away', () => {
    const known = knownKeys(parameters);
    for (const key of keys) {
      const misspelt = [key.slice(0, 2) + key.slice(3), key.toLowerCase(), key.toUpperCase()];
      for (const written of misspelt.filter((each) => !known.includes(each) && !(each in parameters))) {
        const metadata = `${JSON.stringify(written)}: "1"`;
        const found = problemsOf(scaledObject(`type: ${type}${metricType}\nmetadata: { ${metadata} }`));
        const told = found.find(({ path }) => path.endsWith(`.${written}`) || path.endsWith(`["${written}"]`));
        expect(told?.suggestion, written).toSatisfy((found: string) => found === key || isAsNear(found, written));
      }
    }
  });
});

it('a trigger that only a formula uses may leave out its target, where KEDA lets it', () => {
  const object = (advanced: string) => `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: worker }
spec:
  scaleTargetRef: { name: worker }
  triggers:
    - type: postgresql
      name: rows
      metadata: { query: SELECT 1, connectionFromEnv: DATABASE }
${advanced}`;
  const formula = '  advanced: { scalingModifiers: { formula: rows * 2, target: "5" } }\n';
  const errorsOf = (text: string) => {
    const { documents } = parseDocuments(text, { file: 'so.yaml' });
    return documents
      .flatMap((parsed) => triggerProblems(parsed, documents))
      .filter(({ severity }) => severity === 'error');
  };
  expect(errorsOf(object(''))).toHaveLength(1);
  expect(errorsOf(object(formula))).toEqual([]);
});

describe('with the identity of a cloud', () => {
  const authentication = (spec: string) => `---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: login }
spec: ${spec}
`;
  const monitor =
    'type: prometheus\nname: m\nauthenticationRef: { name: login }\nmetadata: { serverAddress: "http://p", query: up, threshold: "1"';
  const of = (trigger: string, spec: string) => linesOf(`${scaledObject(trigger)}${authentication(spec)}`);

  it('has nothing to say where it is used', () => {
    expect(of(`${monitor} }`, '{ podIdentity: { provider: gcp } }')).toEqual([]);
    expect(of(`${monitor}, awsRegion: eu-west-1 }`, '{ podIdentity: { provider: aws } }')).toEqual([]);
  });

  it('tells what does not go together with it', () => {
    expect(of(`${monitor}, authModes: basic }`, '{ podIdentity: { provider: gcp } }')).toEqual([
      expect.stringContaining('authModes basic cannot be used together with the pod identity gcp'),
    ]);
    expect(of(`${monitor}, cloud: Mars }`, '{ podIdentity: { provider: azure-workload } }')).toEqual([
      expect.stringContaining('cloud must be AzurePublicCloud'),
    ]);
    const alone = monitor.replace('authenticationRef: { name: login }\n', '');
    expect(linesOf(scaledObject(`${alone}, awsRegion: eu-west-1 }`))).toEqual([
      expect.stringContaining('warning no-effect: trigger "m" (prometheus): awsRegion has no effect'),
    ]);
  });

  it('tells that nobody signs in with it', () => {
    const redis =
      'type: redis\nname: q\nauthenticationRef: { name: login }\nmetadata: { address: "r:6379", listName: l }';
    expect(of(redis, '{ podIdentity: { provider: aws } }')).toEqual([
      expect.stringContaining(
        'warning no-effect: the pod identity aws has no effect: the triggers that use this TriggerAuthentication (redis) do not',
      ),
    ]);
  });
});
