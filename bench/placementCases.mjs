// The cases of the placement bench: which pods ask for what, and which machines may be bought.
import { readFile } from 'node:fs/promises';
import { loadCatalogue } from '../packages/catalogue/dist/index.js';

const gib = 2 ** 30;

/** CPU in cores, memory in GiB, whole GPUs, weight. */
const webShapes = [
  [0.25, 0.5, 0, 30],
  [0.5, 1, 0, 25],
  [1, 2, 0, 20],
  [1, 4, 0, 10],
  [2, 4, 0, 8],
  [2, 8, 0, 4],
  [4, 8, 0, 2],
  [4, 16, 0, 1],
];
const gpuShapes = [
  [3, 12, 1, 40],
  [4, 16, 1, 15],
  [7, 28, 1, 15],
  [12, 48, 1, 10],
  [15, 58, 1, 5],
  [8, 32, 2, 6],
  [24, 96, 4, 6],
  [48, 256, 8, 3],
];

export const reserve = { cpuMilli: 400, memoryBytes: 1.5 * gib, memoryShare: 0.02, pods: 0 };
const none = { nodes: null, cpuMilli: null, memoryBytes: null, gpus: null, pricePerHourMicro: null };
const settings = {
  nodeChargeMicro: 0,
  nodeLifeMs: 24 * 3600_000,
  preferencePriceMicro: 0,
  maxPodsPerNode: null,
  maxWorkloadShare: 1,
  limits: none,
};

export async function makeCases({ pods: podsFile, seed }) {
  const offerings = (await loadCatalogue()).filter(
    ({ instanceType: type, region, capacityType }) =>
      type.cloud === 'aws' && region === 'us-east-1' && capacityType === 'on-demand' && type.architecture === 'amd64',
  );
  const families = (...names) =>
    offerings.filter(({ instanceType: { name } }) => names.includes(name.split('.')[0]) && !name.includes('metal'));
  const cpu = families('c7i', 'm7i', 'r7i');
  const gpu = families('g4dn', 'g5', 'g6', 'g6e', 'p4d', 'p5');
  const g6 = families('g6');
  const trace = await tracePods(podsFile);
  const random = generator(seed);
  const web = (count) => drawPods(webShapes, count, random);
  const inference = (count) => drawPods(gpuShapes, count, random);
  return [
    { name: 'web 500', pods: web(500), offerings: cpu },
    { name: 'web 5000', pods: web(5000), offerings: cpu },
    { name: 'inference GPU 300', pods: inference(300), offerings: gpu },
    { name: 'inference GPU 2000', pods: inference(2000), offerings: gpu },
    { name: 'inference 300, g6 only', pods: inference(300), offerings: g6 },
    { name: 'inference 2000, g6 only', pods: inference(2000), offerings: g6 },
    { name: 'mixed 1200 web + 800 GPU', pods: [...web(1200), ...inference(800)], offerings: [...cpu, ...gpu] },
    { name: 'mixed 6000 web + 4000 GPU', pods: [...web(6000), ...inference(4000)], offerings: [...cpu, ...gpu] },
    { name: `${trace.name} ${trace.pods.length}`, pods: trace.pods, offerings: [...cpu, ...gpu] },
    {
      name: `${trace.name} GPU ${trace.pods.filter(({ gpu }) => gpu !== null).length}`,
      pods: trace.pods.filter(({ gpu }) => gpu !== null),
      offerings: gpu,
    },
    {
      name: `${trace.name} with shared GPUs`,
      pods: trace.pods.map((pod) => (pod.share === null ? pod : { ...pod, gpu: pod.share })),
      offerings: [...cpu, ...gpu],
      sharing: { kind: 'fraction' },
    },
  ];
}

export function inputOf({ pods, offerings, sharing = { kind: 'none' }, nodes = [] }) {
  const pool = {
    name: 'default',
    cluster: 'local',
    offerings: offerings.map((offering) => ({
      offering,
      backedOffUntilMs: null,
      stock: null,
      interruptionsPerHour: 0,
    })),
    labels: {},
    taints: [],
    sharing,
    reserve,
    limits: none,
    used: { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 },
    startMs: 0,
  };
  return { nowMs: 0, pods, nodes, pools: [pool], settings };
}

const anywhere = {
  workload: 'bench',
  labels: {},
  requirements: [],
  affinityTerms: [],
  preferred: [],
  tolerations: [],
  spread: [],
  antiAffinity: [],
  clusters: null,
  regions: null,
  pools: null,
  interruptible: false,
  interruptionPriceMicro: 0,
  priority: 0,
  share: null,
};
const wholeGpus = (count) => ({ kind: 'whole', count, vendor: 'nvidia', minMemoryBytes: 0 });

export function podOf(id, cores, memoryGib, gpus) {
  const gpu = gpus === 0 ? null : wholeGpus(gpus);
  return { ...anywhere, id, cpuMilli: Math.round(cores * 1000), memoryBytes: Math.round(memoryGib * gib), gpu };
}

function drawPods(shapes, count, random) {
  const total = shapes.reduce((sum, shape) => sum + shape[3], 0);
  return Array.from({ length: count }, (_, i) => {
    let at = random() * total;
    const shape = shapes.find(([, , , weight]) => (at -= weight) < 0) ?? shapes[0];
    return podOf(`${shape[2] > 0 ? 'gpu' : 'web'}-${i}`, shape[0], shape[1], shape[2]);
  });
}

/** Rows of `id,cpu_milli,memory_mib,num_gpu,gpu_milli`, more columns may follow. */
async function tracePods(file) {
  const url = new URL('./data/gpu-pods-sample.csv', import.meta.url);
  const text = await readFile(file ?? url, 'utf8');
  const rows = text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const pods = rows.map(([id, cpuMilli, memoryMib, gpus, gpuMilli]) => {
    const count = Number(gpus);
    const shared = { kind: 'share', gpuMilli: Number(gpuMilli), memoryBytes: 0, vendor: 'nvidia' };
    return {
      ...podOf(`trace-${id}`, Number(cpuMilli) / 1000, Number(memoryMib) / 1024, count),
      share: count === 1 && Number(gpuMilli) < 1000 ? shared : null,
    };
  });
  return { name: file === undefined ? 'trace sample' : 'OpenB', pods };
}

function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
