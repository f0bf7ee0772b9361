import type { ReplicaStatus, ScaledJobStatus, WorkloadStatus } from '@ebb/documents';
import { countText } from '../text/format.ts';
import { withoutControls } from '../text/width.ts';
import { coldStartText } from './coldStartText.ts';

/** A change worth a line of its own where there is no live view. */
export interface Story {
  workload: string;
  text: string;
  tone: 'plain' | 'good' | 'bad' | 'quiet';
}

function shortId(replica: ReplicaStatus): string {
  return replica.id.split('-').at(-1) ?? replica.id;
}

/** A ready replica is told once the gateway routes to it: only then are all stages of its start known. */
function told(replica: ReplicaStatus): ReplicaStatus['phase'] {
  const onItsWay = replica.coldStart.readyToRouteUs === null && replica.coldStart.askToSpawnUs !== null;
  return replica.phase === 'ready' && onItsWay ? 'starting' : replica.phase;
}

function running(status: WorkloadStatus): number {
  return status.replicaList.filter((replica) => replica.phase !== 'gone').length;
}

/** What happened to one workload between two statuses, in the order in which it is told. */
export function narrate(before: WorkloadStatus | null, now: WorkloadStatus): Story[] {
  const stories: Story[] = [];
  const tell = (text: string, tone: Story['tone'] = 'plain') => stories.push({ workload: now.name, text, tone });
  const wanted = now.replicas.wanted;
  const wantedBefore = before?.replicas.wanted ?? 0;
  if (now.held > 0 && (before?.held ?? 0) === 0) {
    tell(`${countText(now.held, 'request')} held: no free replica yet`, 'quiet');
  }
  if (wanted !== wantedBefore) {
    const why = now.decision ? `: ${withoutControls(now.decision.summary)}` : '';
    tell(`wants ${wantedBefore} → ${wanted}${why}`);
  }
  const earlier = new Map(before?.replicaList.map((replica) => [replica.id, replica]));
  for (const replica of now.replicaList) {
    const was = earlier.get(replica.id);
    if (was === undefined || told(was) !== told(replica)) tellPhase(replica, was && told(was), tell);
  }
  if (before && running(before) > 0 && running(now) === 0) tell('at zero: nothing runs, nothing costs', 'good');
  return stories;
}

/** What happened to the Jobs of one ScaledJob between two statuses. */
export function narrateJobs(before: ScaledJobStatus | null, now: ScaledJobStatus): Story[] {
  if (!before) return [];
  const earlier = new Map(before.jobList.map((job) => [job.id, job]));
  const created = now.jobList.filter(({ id }) => !earlier.has(id)).length;
  const stories: Story[] = [];
  const tell = (text: string, tone: Story['tone'] = 'plain') => stories.push({ workload: now.name, text, tone });
  if (created > 0) tell(`${countText(created, 'Job')} created: ${withoutControls(now.summary)}`);
  for (const { id, phase, message } of now.jobList) {
    const was = earlier.get(id)?.phase;
    if (was === undefined || was === phase) continue;
    const name = `Job ${id.split('-').at(-1) ?? id}`;
    if (phase === 'succeeded') tell(`${name} is done`, 'good');
    else if (phase === 'failed') tell(`${name} failed: ${withoutControls(message)}`, 'bad');
    else if (phase === 'waiting') tell(`${name} is run again after a while: ${withoutControls(message)}`, 'bad');
  }
  const busy = (status: ScaledJobStatus) => status.jobs.running + status.jobs.waiting;
  if (busy(before) > 0 && busy(now) === 0) tell('no Job is left: nothing runs, nothing costs', 'good');
  return stories;
}

function tellPhase(
  replica: ReplicaStatus,
  before: ReplicaStatus['phase'] | undefined,
  tell: (text: string, tone?: Story['tone']) => void,
): void {
  const name = `replica ${shortId(replica)}`;
  const why = replica.message === '' ? '' : `: ${withoutControls(replica.message)}`;
  switch (told(replica)) {
    case 'starting':
      // `starting` after `ready` is a readiness probe that says no for a while.
      tell(before === 'ready' ? `${name} is not ready any more${why}` : `${name} is starting`, 'quiet');
      return;
    case 'ready':
      tell(
        before === undefined ? `${name} is ready` : `${name} is ready: ${coldStartText(replica.coldStart, '→', '…')}`,
        'good',
      );
      return;
    case 'draining':
      tell(
        replica.inFlight > 0 ? `${name} finishes ${countText(replica.inFlight, 'request')} and goes` : `${name} goes`,
        'quiet',
      );
      return;
    case 'backoff':
      tell(`${name} will be started again${why}`, 'bad');
      return;
    case 'failed':
      tell(`${name} failed${why}`, 'bad');
      return;
    case 'pending':
    case 'stopping':
    case 'gone':
      return;
  }
}
