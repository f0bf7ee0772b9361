// What a rehearsal costs: a million requests through engine, core and dispatcher on virtual time, against the built packages.
import { parseArgs } from 'node:util';
import {
  comparableModel,
  comparableWorkload,
  diurnal,
  policyDocuments,
  simulate,
} from '../packages/simulator/dist/index.js';

/** Seconds of one core for so many requests. */
const bar = { requests: 1e6, seconds: 10 };
const moonshot = { requests: 1e7, seconds: 30 };
const coldStartMs = 60_000;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: String(bar.requests) },
      rate: { type: 'string', default: '100' },
      policies: { type: 'string', default: 'keepalive:5m' },
      seed: { type: 'string', default: '1' },
    },
  });
  const requests = wholeNumber(values.requests, 'requests');
  const rate = wholeNumber(values.rate, 'rate');
  const seed = wholeNumber(values.seed, 'seed');
  const hours = (requests / rate / 3600).toFixed(1);
  console.log(
    `${requests} requests, ${rate} a second on average, ${hours} h in four days of a quarter each, seed ${seed}`,
  );
  console.log(`model: 8 slots, 0.2 s + 0.02 s a token, cold start ${coldStartMs / 1000} s\n`);
  console.log(
    'policy            requests  CPU s  wall s  µs a request  peak heap MiB  on time %  × the bar  × the moonshot',
  );
  for (const policy of values.policies.split(',')) await measure(policy.replaceAll('+', ','), { requests, rate, seed });
  return 0;
}

async function measure(policy, { requests, rate, seed }) {
  const model = comparableModel(coldStartMs);
  const spanSeconds = requests / rate;
  const tokens = { median: 90, sigma: 0.8 };
  const trace = diurnal({ seed, spanSeconds, ratePerSecond: rate, peak: 1.6, daySeconds: spanSeconds / 4, tokens });
  const documents = policyDocuments(policy, comparableWorkload('model', model), { model, maxReplicas: 10_000 });
  let heap = 0;
  const onProgress = () => {
    heap = Math.max(heap, process.memoryUsage().heapUsed);
  };
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  const result = await simulate({
    trace,
    documents,
    model,
    seed,
    policy,
    onProgress,
    startReplicas: 'first-minute-mean',
  });
  const wallSeconds = (performance.now() - before) / 1000;
  const used = process.cpuUsage(cpuBefore);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const each = cpuSeconds / result.requests;
  const cells = [
    policy.padEnd(16),
    String(result.requests).padStart(9),
    cpuSeconds.toFixed(2).padStart(6),
    wallSeconds.toFixed(2).padStart(7),
    (each * 1e6).toFixed(2).padStart(13),
    (heap / 2 ** 20).toFixed(0).padStart(14),
    ((100 * result.onTime) / result.requests).toFixed(2).padStart(10),
    (each / (bar.seconds / bar.requests)).toFixed(2).padStart(10),
    (each / (moonshot.seconds / moonshot.requests)).toFixed(2).padStart(15),
  ];
  console.log(cells.join(' '));
}

function wholeNumber(text, name) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} is a whole number above 0, not "${text}"`);
}
