import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  customResourceDefinition,
  kindOf,
  type OwnKindName,
  ownKindNames,
  parseDocuments,
  type WorkloadResourceStatus,
  yamlText,
  yamlValues,
} from '@ebb/documents';
import { available, type KubernetesCluster, startKubernetes, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Written {
  readonly kind: OwnKindName;
  readonly metadata: Record<string, unknown> & { readonly name: string };
  readonly spec: Record<string, unknown>;
  readonly [field: string]: unknown;
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const root = fileURLToPath(new URL('../../../../', import.meta.url));

const workload = (spec: object, of: object = {}): Written => ({
  apiVersion: 'ebb.dev/v1alpha1',
  kind: 'Workload',
  metadata: { name: 'echo' },
  spec: { classes: [{ command: ['echo'], ...of }], ...spec },
});
const own = (kind: OwnKindName, spec: object): Written => ({
  apiVersion: 'ebb.dev/v1alpha1',
  kind,
  metadata: { name: 'echo' },
  spec: { ...spec },
});

/** Every document of Ebb's own kinds that the project shows: of the reference pages, the examples and the documentation. */
function shownDocuments(): [string, Written][] {
  const texts = [
    ...ownKindNames.map((name) => [`the example of ${name}`, kindOf(name).example] as const),
    ...filesOf('examples', '.yaml').map((path) => [path, readFileSync(`${root}${path}`, 'utf8')] as const),
    ...filesOf('docs', '.md').flatMap((path) => {
      const fences = readFileSync(`${root}${path}`, 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms);
      return [...fences].map(([, text = '']) => [path, text] as const);
    }),
  ];
  return texts.flatMap(([place, text]) =>
    ownDocuments(text).map((value): [string, Written] => [`${place}: ${value.kind} ${value.metadata.name}`, value]),
  );
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`);
}

/** Whole documents of a text that Ebb takes; a page may show a part of one, or a wrong one. */
function ownDocuments(text: string): Written[] {
  if (!/^apiVersion: ebb\.dev\//m.test(text)) return [];
  return yamlValues(text)
    .filter((value): value is Written => ownKindNames.some((name) => (value as Written).kind === name))
    .filter((value) => problemsOf(value).length === 0);
}

/** Each sort of value that a place of a Workload can take. */
const forms: [string, Written][] = [
  ['env as a map', workload({}, { env: { MODEL: 'slim' } })],
  ['env as a list', workload({}, { env: [{ name: 'MODEL', value: 'slim' }] })],
  ['a port by number', workload({}, { port: 8080 })],
  ['a port of its own', workload({}, { port: 'auto' })],
  ['amounts as numbers', workload({}, { resources: { requests: { cpu: 0.5, gpu: 1 } }, pricePerHour: 0.07 })],
  ['amounts as texts', workload({}, { resources: { requests: { cpu: '500m' } }, pricePerHour: '0.07' })],
  ['paused', workload({ scaling: { paused: true } })],
  ['paused at a number', workload({ scaling: { maxReplicas: 3, paused: { replicas: 2 } } })],
  ['dependencies', workload({ dependsOn: ['embedder', { namespace: 'shared', name: 'tokenizer' }] })],
  ['a policy of its own', workload({ scaling: { policy: { type: 'ray', targetOngoingRequests: 2 } } })],
  [
    'triggers with thresholds of several sorts',
    workload({
      scaling: {
        policy: {
          type: 'slo',
          triggers: [
            { type: 'responseTime', above: '2s' },
            { type: 'kvCacheUse', above: 0.9 },
            { type: 'timeToFirstToken', above: '1s', quantile: 0.95 },
            { type: 'interTokenLatency', above: '80ms', quantile: 'mean' },
          ],
        },
      },
    }),
  ],
  ['shared GPUs by a word', own('NodePool', { gpuSharing: 'none' })],
  ['a budget of disruption in parts', own('NodePool', { disruptionBudgets: [{ nodes: '10%' }, { nodes: 2 }] })],
];

/** What is wrong, and the words of the refusal that lead to it. Ebb refuses each of them as well. */
const wrong: [string, Written, string[]][] = [
  ['no class', own('Workload', {}), ['spec.classes', 'Required']],
  ['an empty list of classes', own('Workload', { classes: [] }), ['spec.classes', 'at least 1']],
  ['a class without a command', own('Workload', { classes: [{}] }), ['spec.classes[0].command', 'Required']],
  ['an unknown field', workload({ replica: 1 }), ['unknown field', 'spec.replica']],
  [
    'a name of two classes',
    own('Workload', { classes: [{ command: ['a'] }, { command: ['b'] }] }),
    ['spec.classes[1]'],
  ],
  ['a text for a number', workload({ priority: 'high' }), ['spec.priority', 'integer']],
  [
    'bounds the wrong way round',
    workload({ scaling: { minReplicas: 5, maxReplicas: 4 } }),
    ['spec.scaling.minReplicas', 'minReplicas is larger than maxReplicas'],
  ],
  [
    'a start above the most',
    workload({ scaling: { maxReplicas: 2, initialReplicas: 3 } }),
    ['spec.scaling.initialReplicas', 'initialReplicas is larger than maxReplicas'],
  ],
  [
    'a schedule above the most',
    workload({
      scaling: {
        maxReplicas: 2,
        schedules: [{ name: 'day', start: '0 8 * * *', end: '0 18 * * *', timezone: 'Europe/Berlin', minReplicas: 3 }],
      },
    }),
    ['spec.scaling.schedules', 'larger than maxReplicas'],
  ],
  ['a duration without a unit', workload({ scaling: { keepAlive: '30' } }), ['spec.scaling.keepAlive']],
  ['a port beyond all ports', workload({}, { port: 70_000 }), ['spec.classes[0].port', '65535']],
  ['a port by a wrong word', workload({}, { port: 'any' }), ['spec.classes[0].port']],
  ['an amount that is a list', workload({}, { resources: { requests: { cpu: [1] } } }), ['requests.cpu']],
  ['an amount that is a map', workload({}, { resources: { requests: { cpu: { a: 1 } } } }), ['requests.cpu']],
  ['an amount that is true', workload({}, { resources: { requests: { cpu: true } } }), ['requests.cpu']],
  ['paused by a text', workload({ scaling: { paused: 'yes' } }), ['spec.scaling.paused']],
  ['paused by a number', workload({ scaling: { paused: 3 } }), ['spec.scaling.paused']],
  ['a dependency by a number', workload({ dependsOn: [3] }), ['spec.dependsOn[0]']],
  ['no such policy', workload({ scaling: { policy: { type: 'magic' } } }), ['spec.scaling.policy.type', 'magic']],
  [
    "another policy's field",
    workload({ scaling: { policy: { type: 'kubeai', gangSize: 2 } } }),
    ['spec.scaling.policy', 'only the type ray has', 'gangSize'],
  ],
  [
    'a policy without what it needs',
    workload({ scaling: { policy: { type: 'slo' } } }),
    ['spec.scaling.policy', 'triggers is required with the type slo'],
  ],
  [
    'a roll-out that cannot move',
    workload({ update: { maxSurge: 0 } }),
    ['spec.update.maxSurge', 'no replica could ever be replaced'],
  ],
  [
    'two answers to one question',
    workload({ interruption: 'never', placement: { interruption: 'allowed' } }),
    ['spec.interruption', 'write it once'],
  ],
  [
    'pool bounds the wrong way round',
    own('NodePool', { minNodes: 3, maxNodes: 2 }),
    ['spec.minNodes', 'larger than maxNodes'],
  ],
  [
    'more spares than machines',
    own('NodePool', { warmSpares: 3, maxNodes: 2 }),
    ['spec.warmSpares', 'larger than maxNodes'],
  ],
  [
    'spot that is not rented',
    own('NodePool', { spot: { fallback: false } }),
    ['spec.spot', 'add spot to capacityTypes'],
  ],
  ['a type of cluster that there is not', own('Cluster', { type: 'moon' }), ['spec.type', 'moon']],
  ['a name that is none', { ...own('Cluster', {}), metadata: { name: 'a.b' } }, ['metadata.name']],
];

describe.runIf(available('kubernetes'))("Ebb's kinds in a Kubernetes API", () => {
  let cluster: KubernetesCluster;
  const namespace = `ebb-kinds-${process.pid}`;
  const collection = (kind: OwnKindName) => `/apis/ebb.dev/v1alpha1/namespaces/${namespace}/${kindOf(kind).plural}`;
  const create = (document: Written) =>
    cluster.api.send('POST', `${collection(document.kind)}?fieldValidation=Strict&dryRun=All`, {
      ...document,
      metadata: { ...document.metadata, namespace },
    });

  beforeAll(async () => {
    cluster = await startKubernetes();
    await cluster.api.post('/api/v1/namespaces', { metadata: { name: namespace } });
    for (const definition of ownKindNames.map(customResourceDefinition)) {
      await cluster.api.apply(`${definitions}/${definition.metadata.name}`, definition, { force: true });
    }
  });
  afterAll(async () => {
    // The definitions stay in a cluster that was brought along: others may have objects of them.
    await cluster?.api.send('DELETE', `/api/v1/namespaces/${namespace}`);
    await cluster?.close();
  });

  it.each(ownKindNames)('%s is established, and its schema is structural', async (name) => {
    const path = `${definitions}/${customResourceDefinition(name).metadata.name}`;
    const conditions = async () => {
      const { status } = await cluster.api.get<Definition>(path);
      return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, one.status]));
    };
    await until(async () => (await conditions()).Established === 'True', {
      withinMs: 60_000,
      what: () => `${name} becoming established`,
    });
    await until(async () => (await cluster.api.send('GET', collection(name))).status === 200, {
      withinMs: 60_000,
      what: () => `${name} being served`,
    });
    expect(await conditions()).toEqual({ Established: 'True', NamesAccepted: 'True' });
  });

  it('has documents of every kind to try', () => {
    const shown = shownDocuments();
    expect(shown.length).toBeGreaterThan(30);
    expect(new Set(shown.map(([, { kind }]) => kind))).toEqual(new Set(ownKindNames));
  });

  it.each([...shownDocuments(), ...forms])('takes %s', async (_, document) => {
    expect(problemsOf(document)).toEqual([]);
    expect(await create(document)).toMatchObject({ status: 201 });
  });

  it.each(wrong)('refuses %s', async (_, document, words) => {
    expect(problemsOf(document).length).toBeGreaterThan(0);
    const { status, text } = await create(document);
    expect([400, 422]).toContain(status);
    for (const word of words) expect(text).toContain(word);
  });

  it('scales through /scale, within the bounds', async () => {
    const document = workload({ scaling: { maxReplicas: 4 } });
    await cluster.api.post(collection('Workload'), document);
    const path = `${collection('Workload')}/echo`;
    await cluster.api.patch(`${path}/scale`, { spec: { replicas: 3 } });
    expect(await cluster.api.get(path)).toMatchObject({ spec: { scaling: { minReplicas: 3, maxReplicas: 4 } } });
    await expect(cluster.api.patch(`${path}/scale`, { spec: { replicas: 5 } })).rejects.toThrow(
      /spec\.scaling\.minReplicas.*minReplicas is larger than maxReplicas/,
    );
  });

  it('keeps all of a status, tells it by /scale, and shows it in columns', async () => {
    const counts = { wanted: 3, starting: 1, ready: 2, draining: 0, failed: 0 };
    const status: WorkloadResourceStatus = {
      observedGeneration: 1,
      replicas: counts,
      classes: { default: counts },
      selector: 'app=echo',
      inFlight: 1,
      held: 2,
      requests: { total: 5, succeeded: 4, failed: 1, refused: 0, cancelled: 0, held: 2 },
      minReplicas: 0,
      maxReplicas: 4,
      decision: { sequence: 7, at: '2026-01-01T00:00:00.000Z', replicas: 3, summary: 'three' },
      url: 'http://ebb-gateway/echo',
      shown: { ready: '2/3', bounds: '0-4', costPerHour: '0.1400 USD' },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Ready', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    };
    const path = `${collection('Workload')}/echo`;
    await cluster.api.patch(`${path}/status`, { status });
    expect(await cluster.api.get<{ readonly status: unknown }>(path)).toMatchObject({ status });
    expect(await cluster.api.get<{ readonly status: unknown }>(`${path}/scale`)).toMatchObject({
      status: { replicas: 2, selector: 'app=echo' },
    });
    const { text } = await cluster.api.send('GET', path, undefined, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    const table: { columnDefinitions: { name: string; priority: number }[]; rows: { cells: unknown[] }[] } =
      JSON.parse(text);
    const cells = Object.fromEntries(
      table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]),
    );
    expect(cells).toMatchObject({
      Name: 'echo',
      Ready: '2/3',
      'Min-Max': '0-4',
      'In flight': 1,
      Held: 2,
      Requests: 5,
      Failed: 1,
      'Cost/h': '0.1400 USD',
      URL: 'http://ebb-gateway/echo',
    });
  });

  it('changes one class by a server-side apply, and leaves the others', async () => {
    const path = `${collection('Workload')}/many`;
    const classes = [
      { name: 'small', command: ['small'] },
      { name: 'large', command: ['large'] },
    ];
    const metadata = { name: 'many' };
    await cluster.api.post(collection('Workload'), { ...workload({ classes }), metadata });
    const { apiVersion, kind } = workload({});
    await cluster.api.apply(
      path,
      {
        apiVersion,
        kind,
        metadata,
        spec: { classes: [{ name: 'large', command: ['larger'] }] },
      },
      { force: true },
    );
    expect(await cluster.api.get(path)).toMatchObject({
      spec: { classes: [classes[0], { name: 'large', command: ['larger'] }] },
    });
  });

  it.each(['workload', 'wl', 'ebb'])('is found as %s', async (word) => {
    const found = async () => {
      const { resources } = await cluster.api.get<{
        readonly resources: readonly {
          name: string;
          singularName: string;
          shortNames?: string[];
          categories?: string[];
        }[];
      }>('/apis/ebb.dev/v1alpha1');
      return resources
        .filter(({ singularName, shortNames = [], categories = [] }) =>
          [singularName, ...shortNames, ...categories].includes(word),
        )
        .map(({ name }) => name);
    };
    // What is served is listed a moment later.
    await until(async () => (await found()).includes('workloads'), {
      withinMs: 60_000,
      what: () => `the kind Workload by ${word}`,
    });
  });
});

function problemsOf(document: Written): string[] {
  const { problems } = parseDocuments(yamlText([document]), { file: 'document.yaml' });
  return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}
