// What deciding costs: rounds over many workloads with new readings, on virtual time, against the built packages.
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decide } from '../packages/core/dist/index.js';
import { packBody, storedBytes } from '../packages/controller/dist/store/sqlite/packedBody.js';
import { Journal } from '../packages/engine/dist/journal.js';
import { makeWorkloads, observe } from './decideWorkloads.mjs';

/** CPU of one round with 10,000 workloads that is asked for, and hoped for; it scales with their number. */
const bar = { cpuMs: 500, moonshotMs: 100, workloads: 10_000, journalBytes: 200, memoryBytes: 16_384 };
const policyNames = ['hpa', 'keda', 'kpa', 'priced', 'windows'];
const secondMs = 1000;
/** Longer than any grid: a round after it has every workload act. */
const longestGridMs = 30_000;
/** Longer than any window: twenty minutes, and then a minute of single seconds. */
const warmUp = { longRounds: 80, rounds: 60 };
const journalled = { workloads: 1000, rounds: 120 };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      workloads: { type: 'string', default: String(bar.workloads) },
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
    },
  });
  const count = wholeNumber(values.workloads, 'workloads');
  const rounds = wholeNumber(values.rounds, 'rounds');
  const seed = wholeNumber(values.seed, 'seed');
  const workloads = makeWorkloads(count, seed);
  const priced = makeWorkloads(Math.ceil(count / 10), seed, ['priced']);
  console.log(`${count} workloads with 2 triggers, ${rounds} rounds a second apart, seed ${values.seed}`);
  console.log('mix: 40 % HPA and KEDA with behaviour, 30 % KPA, 30 % windows with keep-alive and schedules');
  console.log(`apart from it: ${priced.length} by prices\n`);

  // Windows and histories fill up first: a young workload is cheaper than one that has run for a while.
  let atMs = 1_700_000_000_000;
  for (let round = 0; round < warmUp.longRounds; round++, atMs += longestGridMs / 2) {
    playRound(workloads, atMs);
    playRound(priced, atMs);
  }
  for (let round = 0; round < warmUp.rounds; round++, atMs += secondMs) {
    playRound(workloads, atMs);
    playRound(priced, atMs);
  }

  const cpu = [];
  const heaps = [heapMiB()];
  // At most a thousand figures are kept, so that a long run measures the core's heap and not its own.
  const cpuEvery = Math.ceil(rounds / 1000);
  const heapEvery = Math.max(1, Math.floor(rounds / 10));
  for (let round = 1; round <= rounds; round++, atMs += secondMs) {
    const cpuMs = playRound(workloads, atMs);
    if (round % cpuEvery === 0) cpu.push(cpuMs);
    if (round % heapEvery === 0) heaps.push(heapMiB());
  }
  const all = [];
  for (let round = 0; round < 5; round++) {
    atMs += longestGridMs;
    all.push(playRound(workloads, atMs));
  }
  tellCpu('a round, each workload on its own grid', cpu, count);
  tellCpu('a round in which every workload acts', all, count);
  const families = [...workloads, ...priced];
  tellPolicies(families, atMs);
  tellHeap(heaps);
  tellMemories(families);
  await tellJournal([...workloads.slice(0, journalled.workloads), ...priced.slice(0, journalled.workloads)], atMs);
  return 0;
}

/** Decides once for each workload; CPU in milliseconds, the making of the observations left out. */
function playRound(workloads, atMs) {
  const observations = workloads.map((workload) => observe(workload, atMs));
  const before = process.cpuUsage();
  for (let index = 0; index < workloads.length; index++) {
    const workload = workloads[index];
    const { decision, memory } = decide(workload.spec, workload.memory, observations[index]);
    workload.memory = memory;
    workload.replicas = decision.replicas;
  }
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}

function tellCpu(what, cpuMs, count) {
  const sorted = cpuMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const worst = sorted.at(-1);
  const allowed = (bar.cpuMs * count) / bar.workloads;
  const hoped = (bar.moonshotMs * count) / bar.workloads;
  const verdict = median <= hoped ? 'moonshot met' : median <= allowed ? 'bar met' : 'bar missed';
  console.log(`${what}: ${median.toFixed(0)} ms CPU median, ${worst.toFixed(0)} ms worst`);
  console.log(
    `  ${(median / allowed).toFixed(2)} × the bar (${allowed} ms), ${(median / hoped).toFixed(2)} × the moonshot: ${verdict}`,
  );
}

/** Cost of one decision by policy, when it acts and when it is asked between its turns. */
function tellPolicies(workloads, fromMs) {
  const times = { acts: {}, between: {} };
  for (let round = 0; round < 5; round++) {
    for (const [when, atMs] of [
      ['acts', fromMs + (round + 1) * longestGridMs],
      ['between', fromMs + (round + 1) * longestGridMs + secondMs],
    ]) {
      for (const policy of policyNames) {
        const some = workloads.filter(({ spec }) => spec.policy === policy);
        const perDecision = (playRound(some, atMs) * 1000) / some.length;
        (times[when][policy] ??= []).push(perDecision);
      }
    }
  }
  const best = (list) =>
    Math.min(...list)
      .toFixed(1)
      .padStart(6);
  console.log('\nµs of CPU a decision     acts  between');
  for (const policy of Object.keys(times.acts)) {
    console.log(`  ${policy.padEnd(20)} ${best(times.acts[policy])}  ${best(times.between[policy])}`);
  }
}

function heapMiB() {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function tellHeap(heaps) {
  const [first, ...later] = heaps;
  console.log(`\nheap after garbage collection: ${heaps.map((heap) => heap.toFixed(0)).join(' ')} MiB`);
  console.log(`  last over first: ${((later.at(-1) ?? first) / first).toFixed(3)}`);
}

function tellMemories(workloads) {
  console.log('\nmemory of a workload as JSON, bytes   mean  largest');
  for (const policy of policyNames) {
    const sizes = workloads
      .filter(({ spec }) => spec.policy === policy)
      .map(({ memory }) => JSON.stringify(memory).length);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    const largest = Math.max(...sizes);
    const over = largest > bar.memoryBytes ? `  over the ${bar.memoryBytes} that are allowed` : '';
    console.log(`  ${policy.padEnd(33)} ${mean.toFixed(0).padStart(6)}  ${String(largest).padStart(7)}${over}`);
  }
}

/** Bytes that the engine's own journal makes of decisions, packed as the store packs them; its rows come on top. */
async function tellJournal(workloads, fromMs) {
  console.log(
    `\njournal, bytes a decision on disk, asked every second   readings  decisions  × the bar of ${bar.journalBytes}`,
  );
  const startMs = fromMs + 10 * longestGridMs;
  for (const policy of policyNames) {
    const some = workloads.filter(({ spec }) => spec.policy === policy);
    const bytes = await journalBytes(some, startMs);
    const ratio = ((bytes.reading + bytes.decision) / bar.journalBytes).toFixed(2);
    console.log(
      `  ${policy.padEnd(51)} ${bytes.reading.toFixed(0).padStart(8)}  ${bytes.decision.toFixed(0).padStart(9)}  ${ratio}`,
    );
  }
}

async function journalBytes(workloads, fromMs) {
  const bytes = { reading: 0, decision: 0 };
  let nowMs = fromMs;
  const store = {
    head: async () => ({ sequence: 0, segment: 0 }),
    trim: async () => {},
    append: async (records) => {
      for (const { kind, body } of records)
        if (kind in bytes) bytes[kind] += storedBytes(packBody(JSON.stringify(body)));
    },
  };
  const clock = { nowMs: () => nowMs, wallNowMs: () => nowMs, at: () => () => {} };
  const journal = new Journal({ store, clock, log: (_level, message) => console.log(message), snapshot: () => [] });
  await journal.open();
  for (let round = 0; round < journalled.rounds; round++, nowMs += secondMs) {
    for (const workload of workloads) {
      const observation = observe(workload, nowMs);
      journal.prepare();
      const { decision, memory } = decide(workload.spec, workload.memory, observation);
      workload.memory = memory;
      workload.replicas = decision.replicas;
      journal.decided(workload.name, observation, decision);
    }
  }
  await journal.close();
  const decisions = workloads.length * journalled.rounds;
  return { reading: bytes.reading / decisions, decision: bytes.decision / decisions };
}

function wholeNumber(text, name) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} is a whole number above 0, not "${text}"`);
}
