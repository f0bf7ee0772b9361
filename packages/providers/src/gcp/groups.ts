import type { NodeLaunch, NodeObservation } from '@ebb/core';
import type { GcpPoolSpec } from '@ebb/documents';
import { type Json, lastPart, listAt, objectAt, textAt } from '../cloud/json.ts';
import { machineName, uuidOf } from '../cloud/names.ts';
import { zoneAsked } from '../cloud/zones.ts';
import { type ComputeApi, isDuplicate, isMissing } from './computeApi.ts';
import { errorOfList, isFinal } from './errors.ts';
import { phaseOf, providerIdOf, regionOf } from './machine.ts';
import { marksOfManaged, metadataOf } from './marks.ts';

export type Group = GcpPoolSpec['groups'][number] & {
  /** Key of the pool that names it. */
  pool: string;
};

export const groupPath = ({ zone, name }: Pick<Group, 'zone' | 'name'>): string =>
  `zones/${zone}/instanceGroupManagers/${name}`;

/** The groups that have what a launch asks for. */
export function groupsFor(launch: NodeLaunch, groups: readonly Group[]): Group[] {
  const { offering } = launch;
  const asked = zoneAsked(launch);
  return groups.filter(
    ({ instanceType, zone, capacityType }) =>
      instanceType === offering.instanceType &&
      capacityType === offering.capacityType &&
      (asked === '*' ? regionOf(zone) === offering.region : zone === asked),
  );
}

/** The members of a group, also those that are only meant to come; a group that is not there has none. */
export async function membersOf(api: ComputeApi, group: Pick<Group, 'zone' | 'name'>): Promise<Json[]> {
  try {
    const pages = await api.pages(`${groupPath(group)}/listManagedInstances`, { maxResults: '500' }, 'POST');
    return pages.flatMap((page) => listAt(page, 'managedInstances')).map((one) => objectAt(one));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const nameOf = (managed: Json): string => textAt(managed, 'name') ?? lastPart(textAt(managed, 'instance'));

export interface Follow {
  /** Until when a member's coming is followed. */
  untilMs: number;
  everyMs: number;
  nowMs(): number;
  wait(delayMs: number): Promise<void>;
}

/**
 * Asks a group for a member with the id's name, and follows it until there is an instance or the group says why not. The
 * group itself would try for ever: one that cannot come is taken out again before the error is thrown.
 */
export async function joinGroup(
  api: ComputeApi,
  group: Group,
  launch: NodeLaunch,
  attempt: string,
  clock: Follow,
): Promise<void> {
  const name = machineName(launch.id);
  if (!(await membersOf(api, group)).some((managed) => nameOf(managed) === name)) {
    const instances = [{ name, preservedState: { metadata: metadataOf(launch) } }];
    const requestId = uuidOf(`join ${group.name} ${attempt}`);
    try {
      const operation = await api.ask('POST', `${groupPath(group)}/createInstances`, { requestId }, { instances });
      await api.finished(group.zone, operation, clock.untilMs);
    } catch (error) {
      // Somebody was faster with the same name.
      const isThere = async () => (await membersOf(api, group)).some((managed) => nameOf(managed) === name);
      if (!isDuplicate(error) && !(isFinal(error) && (await isThere()))) throw error;
    }
  }
  for (;;) {
    const managed = (await membersOf(api, group)).find((one) => nameOf(one) === name);
    if (managed === undefined || textAt(managed, 'instanceStatus') !== null) return;
    const errors = listAt(managed, 'lastAttempt', 'errors', 'errors');
    if (errors.length > 0) {
      await leaveGroup(api, group, name);
      throw errorOfList(errors);
    }
    if (clock.nowMs() >= clock.untilMs) return;
    await clock.wait(clock.everyMs);
  }
}

/** Takes a member out and ends its instance; one that is not there is fine. */
export async function leaveGroup(api: ComputeApi, group: Pick<Group, 'zone' | 'name'>, name: string): Promise<void> {
  const instances = [`zones/${group.zone}/instances/${name}`];
  await api.ask('POST', `${groupPath(group)}/deleteInstances`, {}, { instances, skipInstancesOnValidationError: true });
}

/** A member as the engine sees it; it is ready when the group's health check says so, or runs where there is none. */
export function observeMember(
  managed: Json,
  group: Group,
  { project, cluster }: { project: string; cluster: string },
): NodeObservation {
  const marks = marksOfManaged(managed);
  const status = textAt(managed, 'instanceStatus');
  const action = textAt(managed, 'currentAction');
  const health = listAt(managed, 'instanceHealth').map((one) => textAt(one, 'detailedHealthState'));
  const failures = listAt(managed, 'lastAttempt', 'errors', 'errors');
  const error = status === null && failures.length > 0 ? errorOfList(failures) : null;
  // While the group still verifies a new member, a failing check is no news.
  const isSick = action === 'NONE' && health.some((one) => one === 'UNHEALTHY' || one === 'TIMEOUT');
  // The group makes a new machine under the name of one that is lost: for the engine that one is gone.
  const isReplaced = action === 'RECREATING';
  const isLeaving = action === 'DELETING' || action === 'ABANDONING' || (isReplaced && status === 'STOPPING');
  const isLost = isReplaced && status !== 'STOPPING';
  const own =
    status === null
      ? 'requested'
      : phaseOf(
          status,
          health.every((one) => one === 'HEALTHY'),
        );
  const phase = isLost ? 'gone' : isLeaving && own !== 'gone' ? 'stopping' : own;
  return {
    id: marks.id,
    providerId: providerIdOf(project, group.zone, nameOf(managed)),
    cluster: marks.cluster ?? cluster,
    pool: marks.pool ?? group.pool,
    offering: {
      cloud: 'gcp',
      region: regionOf(group.zone),
      zone: group.zone,
      instanceType: group.instanceType,
      capacityType: group.capacityType,
    },
    phase,
    askedAtMs: marks.askedAtMs,
    readyAtMs: null,
    notice: null,
    message: error?.message ?? `group ${group.name} says ${action ?? 'nothing'}, Compute Engine ${status ?? 'nothing'}`,
    failure: error?.code ?? (phase === 'gone' ? 'terminated' : phase === 'running' && isSick ? 'unreachable' : null),
  };
}
