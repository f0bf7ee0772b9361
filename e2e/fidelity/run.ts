import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compareRun } from './comparison.ts';
import { drawCurves } from './chart.ts';
import { runLive } from './live.ts';
import { makeLoad } from './load.ts';
import { fidelityPolicies } from './policies.ts';
import { readRecording } from './recording.ts';
import { measuredModel, rehearse } from './rehearsal.ts';
import { causes, tableOf } from './table.ts';

const usage = `npm run test:fidelity -- [FLAGS]
  --seed N          another load (default 2)
  --policies A,B    only these: ${fidelityPolicies.map(({ name }) => name).join(', ')}
  --recorded FILE   compare a recorded live run instead of making one
  --record FILE     keep the live run
  --json FILE       both curves and all numbers
  --svg FILE        a picture of both curves`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '2' },
    policies: { type: 'string' },
    recorded: { type: 'string' },
    record: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(usage);
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is a whole number, not "${values.seed}"`);
  const wanted = values.policies?.split(',');
  const unknown = wanted?.find((name) => fidelityPolicies.every((policy) => policy.name !== name));
  if (unknown !== undefined) throw new Error(`there is no policy "${unknown}"\n${usage}`);
  const policies = fidelityPolicies.filter(({ name }) => wanted?.includes(name) ?? true);

  if (!values.recorded) console.log('live: real processes, about two minutes');
  const recording = values.recorded ? readRecording(values.recorded) : await runLive(makeLoad(seed), policies);
  if (values.record) writeFileSync(values.record, `${JSON.stringify(recording)}\n`);
  const { load, runs, busyShare } = recording;
  const model = measuredModel(runs);
  const mostLateMs = Math.max(...runs.map((run) => run.mostLateMs));
  console.log(
    `${load.requests.length} requests in ${load.spanMs / 1000} s for each policy, seed ${load.seed}; ` +
      `machine ${Math.round(100 * busyShare)} % busy; requests sent at most ${mostLateMs.toFixed(1)} ms late`,
  );
  const stages = model.coldStart.map(
    ({ stage, ms }) => `${stage} ${'ms' in ms ? (ms.ms as number).toFixed(1) : '?'} ms`,
  );
  console.log(`measured for the rehearsal: ${stages.join(', ')}`);

  const comparisons = [];
  for (const run of runs) {
    const policy = policies.find(({ name }) => name === run.policy);
    if (policy) comparisons.push(compareRun(load, run, await rehearse(policy, load, model, run)));
  }
  for (const comparison of comparisons) console.log(`\n${tableOf(comparison)}`);
  console.log(`\n${causes}`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ load, model, comparisons }, null, 2)}\n`);
  if (values.svg) writeFileSync(values.svg, drawCurves(load, comparisons));
  const broken = comparisons.flatMap(({ policy, rows }) =>
    rows.filter(({ isWithin }) => !isWithin).map((row) => ({ policy, row })),
  );
  for (const { policy, row } of broken) console.error(`${policy}: ${row.name} is beyond its bound`);
  console.log(
    broken.length === 0 ? 'the rehearsal agrees with the live run' : `${broken.length} numbers beyond their bounds`,
  );
  return broken.length === 0 ? 0 : 1;
}
