import type { Condition, JobStatus, ScaledJobStatus } from '@ebb/documents';
import type { EngineContext } from '../context.ts';
import { isoTime } from '../isoTime.ts';
import { isFinished, type Job } from './job.ts';
import type { ScaledJobState } from './scaledJobState.ts';

const longestList = 100;

/** Everything worth telling about a ScaledJob, as of now. */
export function scaledJobStatus(context: EngineContext, state: ScaledJobState): ScaledJobStatus {
  const { spec, triggers } = state;
  const all = [...state.jobs.values()];
  const count = (phase: Job['phase']) => all.filter((job) => job.phase === phase).length;
  const ended = all.filter(isFinished).sort((left, right) => (right.endedAtMs ?? 0) - (left.endedAtMs ?? 0));
  const listed = [...all.filter((job) => !isFinished(job)), ...ended].slice(0, longestList);
  return {
    ...spec.key,
    generation: state.stored.generation,
    paused: spec.paused,
    mode: spec.improvements ? 'reactive' : 'exact',
    minReplicas: spec.minReplicas,
    maxReplicas: spec.maxReplicas ?? 100,
    jobs: {
      waiting: count('waiting'),
      running: count('running'),
      succeeded: count('succeeded'),
      failed: count('failed'),
    },
    summary: summaryOf(state),
    triggers: triggers?.status() ?? [],
    jobList: listed.map(jobStatus),
    conditions: conditionsOf(context, state),
  };
}

function jobStatus(job: Job): JobStatus {
  const { id, phase, attempts, failures, exitCode, message } = job;
  const { createdAtMs: createdAt, startedAtMs: startedAt, endedAtMs: endedAt } = job;
  return { id, phase, attempts, failures, createdAt, startedAt, endedAt, exitCode, message };
}

function summaryOf({ last, spec }: ScaledJobState): string {
  if (spec.paused) return 'paused by its annotation: no Job is created';
  if (!last) return '';
  const { queueLength, scaleTo, effectiveMax, create } = last.result;
  const strategy = `strategy ${spec.scaling.strategy}`;
  if (create > 0)
    return `queue ${queueLength} asks for ${scaleTo} of at most ${effectiveMax} Jobs, ${strategy}: ${create} created`;
  return `queue ${queueLength} asks for ${scaleTo} of at most ${effectiveMax} Jobs, ${strategy}: none created`;
}

function conditionsOf(context: EngineContext, state: ScaledJobState): Condition[] {
  const { template, triggers, problem, spec } = state;
  const { driver } = context.ports;
  const lastTransitionTime = isoTime(state.stored.createdAtMs);
  const condition = (type: string, status: Condition['status'], reason: string, message: string): Condition => ({
    type,
    status,
    reason,
    message,
    lastTransitionTime,
  });
  const statuses = triggers?.status() ?? [];
  const failing = statuses.find(({ state: one }) => one === 'error' || one === 'missing');
  const active = statuses.some((one) => one.active === true);
  return [
    readiness(),
    condition(
      'Active',
      active ? 'True' : 'False',
      active ? 'ScalerActive' : 'ScalerNotActive',
      active ? 'a trigger is active' : 'no trigger is active',
    ),
    condition(
      'Paused',
      spec.paused ? 'True' : 'False',
      spec.paused ? 'Annotation' : 'NotPaused',
      spec.paused ? 'paused by its annotation' : '',
    ),
  ];

  function readiness(): Condition {
    if ('problem' in template) return condition('Ready', 'False', 'TemplateUnusable', template.problem);
    if (!driver.run && !driver.runTemplate)
      return condition('Ready', 'False', 'DriverRunsNoJobs', 'this driver runs no Jobs');
    if (failing) {
      const reason = failing.state === 'missing' ? 'Unsupported' : 'TriggerFailing';
      return condition('Ready', 'False', reason, `trigger ${failing.name} (${failing.type}): ${failing.message}`);
    }
    if (problem !== '') return condition('Ready', 'False', 'JobNotStarted', problem);
    return condition('Ready', 'True', 'ScaledJobReady', 'its triggers are read and its Jobs can be started');
  }
}
