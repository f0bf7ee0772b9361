import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { OfferingChoice } from '@ebb/core';
import type { AwsAccount } from './clients.ts';
import { capacityTypes, fromList } from './tags.ts';

/** A machine that was asked of a group and is not there yet. */
export interface Wish {
  id: string;
  /** Key of its pool. */
  pool: string;
  askedAtMs: number;
  offering: OfferingChoice;
}

const prefix = 'ebb.dev/wish/';

/** Oldest first. Tags that are no wishes, or were written by hand, are left aside. */
export function wishesOf(group: AutoScalingGroup): Wish[] {
  const wishes = Object.entries(fromList(group.Tags)).flatMap(([key, value]) => {
    const [askedAt = '', pool, region, zone, instanceType, capacity] = value.split(' ');
    const capacityType = capacityTypes.find((one) => one === capacity);
    if (!key.startsWith(prefix) || !/^\d{1,15}$/.test(askedAt) || capacityType === undefined) return [];
    if (!pool || !region || !zone || !instanceType) return [];
    const offering = { cloud: 'aws', region, zone, instanceType, capacityType };
    return [{ id: key.slice(prefix.length), pool, askedAtMs: Number(askedAt), offering }];
  });
  return wishes.sort((one, other) => one.askedAtMs - other.askedAtMs || (one.id < other.id ? -1 : 1));
}

export async function addWish({ autoScaling, groupCommands }: AwsAccount, group: string, wish: Wish): Promise<void> {
  const { askedAtMs, offering, pool } = wish;
  const { capacityType, instanceType, region, zone } = offering;
  const Value = [askedAtMs, pool, region, zone, instanceType, capacityType].join(' ');
  const tag = { ...tagOf(group, wish.id), Value, PropagateAtLaunch: false };
  await autoScaling.send(new groupCommands.CreateOrUpdateTagsCommand({ Tags: [tag] }));
}

export async function dropWish({ autoScaling, groupCommands }: AwsAccount, group: string, id: string): Promise<void> {
  await autoScaling.send(new groupCommands.DeleteTagsCommand({ Tags: [tagOf(group, id)] }));
}

function tagOf(group: string, id: string) {
  return { ResourceId: group, ResourceType: 'auto-scaling-group', Key: `${prefix}${id}` };
}
