// Ten thousand messages of a real RabbitMQ, one process for each through a running Ebb, while its control plane, its agent,
// the workers and the broker are killed by a seeded plan. Nothing may vanish: that is what the exit code says.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { faultText } from '../e2e/jobs/faultPlan.ts';
import { runJobsUnderKills } from '../e2e/jobs/jobsUnderKills.ts';
import { available } from '../packages/testing/dist/services/index.js';

/** For 10,000 messages; fewer have fewer. */
const usualKills = { controlPlane: 10, agent: 10, both: 3, worker: 150, broker: 2 };
const usualMessages = 10_000;
const progressEveryMs = 2000;

export async function run(args) {
  const { values } = parseArgs({
    args,
    options: {
      messages: { type: 'string', default: String(usualMessages) },
      max: { type: 'string', default: String(4 * availableParallelism()) },
      seed: { type: 'string', default: process.env.EBB_SEED ?? '1' },
      kills: { type: 'boolean', default: true },
    },
    allowNegative: true,
  });
  if (!available('rabbitmq')) {
    console.log('rabbitmq is not installed: tools/services/install.sh brings it');
    return 1;
  }
  const messages = Number(values.messages);
  const maxReplicas = Number(values.max);
  const seed = Number(values.seed);
  const share = values.kills ? messages / usualMessages : 0;
  const faults = Object.fromEntries(
    Object.entries(usualKills).map(([kind, count]) => [kind, share === 0 ? 0 : Math.max(1, Math.round(count * share))]),
  );
  console.log(
    `${messages} messages, at most ${maxReplicas} Jobs at once, EBB_SEED=${seed}, kills: ${faultText(faults)}\n`,
  );
  const progress = progressLine(messages);
  const report = await runJobsUnderKills({
    seed,
    messages,
    maxReplicas,
    history: 10,
    faults,
    workMs: [1, 20],
    patienceMs: 60_000,
    lookEveryMs: 250,
    onProgress: progress,
  });
  progress(report, true);
  print(report, maxReplicas);
  const isMissed = report.vanished.length > 0 || report.done < messages || report.mostAtOnce > maxReplicas;
  if (isMissed) console.log(`FAILED; again with: npm run bench -- jobs --seed ${seed}`);
  return isMissed ? 1 : 0;
}

/** On a terminal one line that changes, elsewhere one every few seconds. */
function progressLine(messages) {
  let toldMs = Number.NEGATIVE_INFINITY;
  return ({ done, faults, elapsedMs }, isLast = false) => {
    const { isTTY } = process.stdout;
    if (elapsedMs - toldMs < (isTTY ? 200 : progressEveryMs) && !isLast) return;
    toldMs = elapsedMs;
    const killed = Object.values(faults).reduce((sum, count) => sum + count, 0);
    const line = `  ${done} of ${messages} done, ${(elapsedMs / 1000).toFixed(0)} s, ${killed} kills`;
    process.stdout.write(isTTY ? `\r\x1b[K${line}${isLast ? '\n' : ''}` : `${line}\n`);
  };
}

function print(report, maxReplicas) {
  const { done, doneAgain, vanished, idle, mostAtOnce, faults, elapsedMs, cpuSeconds, jobs } = report;
  const seconds = elapsedMs / 1000;
  const perJobMs = (used) => ((used * 1000) / (done + doneAgain + idle)).toFixed(1);
  const rows = [
    ['done', `${done}`],
    ['done twice', `${doneAgain} (killed, or the broker killed, before the acknowledgement was kept)`],
    [
      'vanished',
      `${vanished.length} (asked for: 0)${vanished.length > 0 ? `: ${vanished.slice(0, 10).join(' ')} …` : ''}`,
    ],
    ['Jobs without message', `${idle}`],
    ['at once', `${mostAtOnce} (at most ${maxReplicas})`],
    ['kills', faultText(faults)],
    ['time', `${seconds.toFixed(1)} s, ${(done / seconds).toFixed(1)} Jobs a second, with the time that was killed`],
    [
      'overhead per Job',
      `control plane ${perJobMs(cpuSeconds.controlPlane)} ms, agent ${perJobMs(cpuSeconds.agent)} ms of processor time, their starts included`,
    ],
    ['history', `${jobs.succeeded} succeeded, ${jobs.failed} failed (10 of each are kept)`],
  ];
  console.log('');
  for (const [name, text] of rows) console.log(`  ${name.padEnd(22)} ${text}`);
}
