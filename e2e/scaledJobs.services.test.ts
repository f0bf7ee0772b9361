import { available } from '@ebb/testing/services';
import { describe, expect, it } from 'vitest';
import { faultText } from './jobs/faultPlan.ts';
import { runJobsUnderKills } from './jobs/jobsUnderKills.ts';

const seed = Number(process.env.EBB_SEED ?? Math.floor(Math.random() * 1_000_000));
const messages = 300;
const maxReplicas = 8;
const history = 5;

/**
 * ScaledJobs through real parts: RabbitMQ, the processes of Ebb, one process for each message. A killed broker loses no
 * message that it had confirmed, but may have forgotten what was acknowledged last: those messages are done again.
 */
describe.runIf(available('rabbitmq') && process.platform === 'linux')('a ScaledJob under kills', () => {
  it(`does each of ${messages} messages at least once, EBB_SEED=${seed}`, async () => {
    const report = await runJobsUnderKills({
      seed,
      messages,
      maxReplicas,
      history,
      faults: { controlPlane: 2, agent: 2, both: 1, worker: 8, broker: 1 },
      workMs: [10, 60],
      patienceMs: 40_000,
      lookEveryMs: 50,
    }).catch((error: unknown) => {
      throw new Error(`seed ${seed} failed; again with: EBB_SEED=${seed}`, { cause: error });
    });
    if (process.env.EBB_VERBOSE) console.log(report, faultText(report.faults));
    expect(report, `EBB_SEED=${seed}`).toMatchObject({
      done: messages,
      vanished: [],
      processesLeft: 0,
      messagesLeft: 0,
      faults: { controlPlane: 2, agent: 2, both: 1, broker: 1 },
      jobs: { waiting: 0, running: 0 },
    });
    expect(report.faults.worker).toBeGreaterThan(4);
    expect(report.mostAtOnce).toBeGreaterThan(1);
    expect(report.mostAtOnce).toBeLessThanOrEqual(maxReplicas);
    expect(report.jobs.succeeded).toBe(history);
    expect(report.jobs.failed).toBeLessThanOrEqual(history);
    // Most of the work was useful: what was done again is what was under way, or just acknowledged, at a kill.
    expect(report.doneAgain).toBeLessThan(messages / 2);
  });
});
