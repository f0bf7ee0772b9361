import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { type NodeLaunch, type NodeObservation, ProviderError } from '@ebb/core';
import type { AwsPoolSpec } from '@ebb/documents';
import type { AwsAccount } from './clients.ts';
import { instancesNamed, isLive } from './describe.ts';
import { codeOfReason } from './errors.ts';
import { addWish, dropWish, type Wish, wishesOf } from './wishes.ts';
import { fromList, nodeTag, tagsOf, toList } from './tags.ts';

export interface GroupPool {
  /** Key of the pool. */
  name: string;
  labels: Readonly<Record<string, string>>;
  aws: AwsPoolSpec;
  group: string;
}

/** Of a group: AWS' ids of machines that are claimed and live, of those that nobody has claimed, and the ids waited for. */
interface Seats {
  group: AutoScalingGroup;
  wishes: Wish[];
  claimed: Set<string>;
  free: string[];
}

/** AWS takes 50 tags a group; each wish is one. */
const mostWishes = 35;

/**
 * Machines out of one Auto Scaling group. A launch is a wish, kept as a tag of the group, and one more of desired capacity; a
 * machine that the group makes is given the oldest wish by tagging it with its id. All of it stands at AWS, so that asking again and
 * another control plane find it.
 */
export class Group {
  readonly #cluster: string;
  readonly #region: string;
  /** Changes of one group come one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** By AWS' id: tagged here, which its lists may not show yet. */
  readonly #claims = new Map<string, string>();

  constructor(cluster: string, region: string) {
    this.#cluster = cluster;
    this.#region = region;
  }

  launch(account: AwsAccount, pool: GroupPool, { id, askedAtMs, offering }: NodeLaunch): Promise<void> {
    return this.#alone(async () => {
      const seats = await this.#seats(account, pool);
      if (seats === null) throw new ProviderError('refused', `there is no Auto Scaling group "${pool.group}"`);
      if ([...this.#claims.values()].includes(id)) return;
      const wish: Wish = { id, pool: pool.name, askedAtMs, offering };
      if (!seats.wishes.some((other) => other.id === id)) {
        const most = seats.group.MaxSize ?? 0;
        if (seats.claimed.size + seats.wishes.length >= most)
          throw new ProviderError('quota', `Auto Scaling group "${pool.group}" has at most ${most} machines`);
        if (seats.wishes.length >= mostWishes)
          throw new ProviderError(
            'throttled',
            `Auto Scaling group "${pool.group}" has ${mostWishes} machines to start`,
          );
        await addWish(account, pool.group, wish);
        seats.wishes.push(wish);
      }
      const wanted = seats.claimed.size + seats.wishes.length;
      if ((seats.group.DesiredCapacity ?? 0) < wanted) await this.#resize(account, pool, wanted);
    });
  }

  /** Takes back what has no machine yet. True: there was such a wish. */
  terminate(account: AwsAccount, pool: GroupPool, id: string): Promise<boolean> {
    return this.#alone(async () => {
      const seats = await this.#seats(account, pool);
      if (!seats?.wishes.some((wish) => wish.id === id)) return false;
      await dropWish(account, pool.group, id);
      const wanted = Math.max(seats.claimed.size + seats.wishes.length - 1, seats.group.MinSize ?? 0);
      const [surplus] = seats.free.slice(seats.wishes.length - 1);
      if ((seats.group.DesiredCapacity ?? 0) <= wanted) return true;
      // A smaller group would end any of its machines: the one that came for this wish is named.
      if (surplus === undefined) await this.#resize(account, pool, wanted);
      else await endMember(account, surplus);
      return true;
    });
  }

  /** Gives machines their ids; tells what is waited for, and AWS' ids of the group's machines. Null: there is no such group. */
  settle(account: AwsAccount, pool: GroupPool): Promise<{ waiting: NodeObservation[]; members: string[] } | null> {
    return this.#alone(async () => {
      const seats = await this.#seats(account, pool);
      if (seats === null) return null;
      for (const instance of seats.free) {
        const wish = this.#bestFor(instance, seats);
        if (wish === undefined) break;
        await this.#claim(account, pool, instance, wish);
        seats.claimed.add(instance);
        seats.wishes = seats.wishes.filter(({ id }) => id !== wish.id);
      }
      await this.#protect(account, pool, seats);
      const failure = seats.wishes.length > 0 ? await lastFailure(account, pool.group) : null;
      const members = seats.group.Instances?.flatMap(({ InstanceId }) => InstanceId ?? []) ?? [];
      return { waiting: seats.wishes.map((wish) => this.#waiting(wish, failure)), members };
    });
  }

  async #seats(account: AwsAccount, { group: name }: GroupPool): Promise<Seats | null> {
    const { autoScaling, groupCommands } = account;
    const answer = await autoScaling.send(
      new groupCommands.DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }),
    );
    const group = answer.AutoScalingGroups?.[0];
    if (!group) return null;
    const members = (group.Instances ?? []).filter(
      ({ LifecycleState }) => !/^(Terminat|Detach)/.test(LifecycleState ?? ''),
    );
    const instances = await instancesNamed(
      account,
      members.flatMap(({ InstanceId }) => InstanceId ?? []),
    );
    const claimed = new Set<string>();
    const free: string[] = [];
    const idOf = new Map<string, string>();
    for (const instance of instances.filter(isLive)) {
      const { InstanceId = '', Tags } = instance;
      const id = this.#claims.get(InstanceId) ?? fromList(Tags)[nodeTag];
      if (id === undefined) free.push(InstanceId);
      else {
        claimed.add(InstanceId);
        idOf.set(InstanceId, id);
      }
    }
    const taken = new Set(idOf.values());
    const wishes = wishesOf(group);
    // The machine was tagged, and then the process ended.
    for (const { id } of wishes.filter((wish) => taken.has(wish.id))) await dropWish(account, name, id);
    return { group, wishes: wishes.filter(({ id }) => !taken.has(id)), claimed, free };
  }

  /** The oldest wish for its kind and zone, else the oldest: a machine that is paid for is used. */
  #bestFor(instance: string, { group, wishes }: Seats): Wish | undefined {
    const member = group.Instances?.find(({ InstanceId }) => InstanceId === instance);
    const isMeant = ({ offering: { instanceType, zone } }: Wish) =>
      instanceType === member?.InstanceType && (zone === '*' || zone === member.AvailabilityZone);
    const isAlike = ({ offering }: Wish) => offering.instanceType === member?.InstanceType;
    return wishes.find(isMeant) ?? wishes.find(isAlike) ?? wishes[0];
  }

  async #claim(account: AwsAccount, pool: GroupPool, instance: string, wish: Wish): Promise<void> {
    const { id, askedAtMs, offering } = wish;
    const mark = { id, cluster: this.#cluster, pool: wish.pool, askedAtMs, capacityType: offering.capacityType };
    const Tags = toList(tagsOf(mark, pool.labels, pool.aws));
    await account.ec2.send(new account.ec2Commands.CreateTagsCommand({ Resources: [instance], Tags }));
    this.#claims.set(instance, id);
    await dropWish(account, pool.group, id);
  }

  /** Nothing but Ebb ends a machine with replicas. AWS protects only what is in service. */
  async #protect(account: AwsAccount, { group }: GroupPool, seats: Seats): Promise<void> {
    const InstanceIds = (seats.group.Instances ?? []).flatMap(({ InstanceId, LifecycleState, ProtectedFromScaleIn }) =>
      InstanceId !== undefined &&
      LifecycleState === 'InService' &&
      !ProtectedFromScaleIn &&
      seats.claimed.has(InstanceId)
        ? [InstanceId]
        : [],
    );
    if (InstanceIds.length === 0) return;
    const { autoScaling, groupCommands } = account;
    await autoScaling.send(
      new groupCommands.SetInstanceProtectionCommand({
        AutoScalingGroupName: group,
        InstanceIds,
        ProtectedFromScaleIn: true,
      }),
    );
  }

  async #resize({ autoScaling, groupCommands }: AwsAccount, { group }: GroupPool, capacity: number): Promise<void> {
    await autoScaling.send(
      new groupCommands.SetDesiredCapacityCommand({
        AutoScalingGroupName: group,
        DesiredCapacity: capacity,
        HonorCooldown: false,
      }),
    );
  }

  #waiting({ askedAtMs, id, offering, pool }: Wish, failure: GroupFailure | null): NodeObservation {
    return {
      id,
      providerId: null,
      cluster: this.#cluster,
      pool,
      offering: { ...offering, region: this.#region },
      phase: 'requested',
      askedAtMs,
      readyAtMs: null,
      notice: null,
      message: failure?.message ?? '',
      failure: failure?.code ?? null,
    };
  }

  #alone<Value>(step: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/** Ends one machine of its group, which gets no other in its place. */
export async function endMember({ autoScaling, groupCommands }: AwsAccount, InstanceId: string): Promise<void> {
  try {
    await autoScaling.send(
      new groupCommands.TerminateInstanceInAutoScalingGroupCommand({
        InstanceId,
        ShouldDecrementDesiredCapacity: true,
      }),
    );
  } catch (error) {
    // Somebody was faster: it has left its group.
    if (!(error instanceof Error) || !/not found|no managed instance/i.test(error.message)) throw error;
  }
}

interface GroupFailure {
  code: string;
  message: string;
}

/** Why the group makes no machine now: what its newest activity failed with; null where that did not fail. */
async function lastFailure({ autoScaling, groupCommands }: AwsAccount, group: string): Promise<GroupFailure | null> {
  const answer = await autoScaling.send(
    new groupCommands.DescribeScalingActivitiesCommand({ AutoScalingGroupName: group, MaxRecords: 1 }),
  );
  const newest = answer.Activities?.[0];
  if (newest?.StatusCode !== 'Failed') return null;
  const message = newest.StatusMessage ?? '';
  const named = /\b(?:Insufficient|Max|Vcpu|Instance|Unsupported|Spot)[A-Za-z]*\b/g;
  const codes = [...message.matchAll(named)].flatMap(([name]) => codeOfReason(name) ?? []);
  return { code: codes[0] ?? failureInWords(message), message };
}

/** Activities say in a sentence what other answers have a code for. */
function failureInWords(message: string): string {
  if (/sufficient .*capacity|no Spot capacity/i.test(message)) return 'stock-out';
  return /\b(limit|quota)\b/i.test(message) ? 'quota' : 'refused';
}
