import type { Instance } from '@aws-sdk/client-ec2';
import type { AwsAccount } from './clients.ts';
import { clusterTag, nodeTag } from './tags.ts';

/** AWS takes so many ids at once. */
const idsAtOnce = 100;

type Filter = { Name: string; Values: string[] };

/** Every instance with the cluster's mark, ended ones too as long as AWS remembers them. */
export function instancesOf(account: AwsAccount, cluster: string): Promise<Instance[]> {
  return describe(account, [{ Name: `tag:${clusterTag}`, Values: [cluster] }]);
}

/** The instances that carry the engine's id, ended ones too: one, but for accidents. */
export function instancesById(account: AwsAccount, cluster: string, id: string): Promise<Instance[]> {
  return describe(account, [
    { Name: `tag:${clusterTag}`, Values: [cluster] },
    { Name: `tag:${nodeTag}`, Values: [id] },
  ]);
}

/** By AWS' own ids, as filters, so that one that is unknown is just not there. */
export async function instancesNamed(account: AwsAccount, ids: readonly string[]): Promise<Instance[]> {
  const found: Instance[] = [];
  for (let from = 0; from < ids.length; from += idsAtOnce)
    found.push(...(await describe(account, [{ Name: 'instance-id', Values: ids.slice(from, from + idsAtOnce) }])));
  return found;
}

/** Neither ended nor about to be. */
export function isLive({ State }: Instance): boolean {
  return State?.Name !== 'terminated' && State?.Name !== 'shutting-down';
}

async function describe({ ec2, ec2Commands }: AwsAccount, Filters: Filter[]): Promise<Instance[]> {
  const found: Instance[] = [];
  let NextToken: string | undefined;
  do {
    const page = await ec2.send(
      new ec2Commands.DescribeInstancesCommand({ Filters, MaxResults: 1000, ...(NextToken ? { NextToken } : {}) }),
    );
    for (const reservation of page.Reservations ?? []) found.push(...(reservation.Instances ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

/** Instances whose status checks are both passed, and those of which one fails. */
export async function statusesOf(
  { ec2, ec2Commands }: AwsAccount,
  ids: readonly string[],
): Promise<{ passed: Set<string>; impaired: Set<string> }> {
  const passed = new Set<string>();
  const impaired = new Set<string>();
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const Filters = [{ Name: 'instance-state-name', Values: ['running'] }];
    const InstanceIds = ids.slice(from, from + idsAtOnce);
    const page = await ec2.send(new ec2Commands.DescribeInstanceStatusCommand({ InstanceIds, Filters }));
    for (const { InstanceId, InstanceStatus, SystemStatus } of page.InstanceStatuses ?? []) {
      const both = [InstanceStatus?.Status, SystemStatus?.Status];
      if (InstanceId === undefined) continue;
      if (both.every((status) => status === 'ok')) passed.add(InstanceId);
      if (both.includes('impaired')) impaired.add(InstanceId);
    }
  }
  return { passed, impaired };
}

/**
 * Spot instances that AWS has said it takes, with when by AWS' clock: two minutes after it said so (EC2 user guide, "Spot Instance
 * interruption notices"). One question for all of an account.
 */
export async function markedForEnd({ ec2, ec2Commands }: AwsAccount): Promise<Map<string, number | null>> {
  const Filters = [{ Name: 'status-code', Values: ['marked-for-termination', 'marked-for-stop'] }];
  const marked = new Map<string, number | null>();
  let NextToken: string | undefined;
  do {
    const page = await ec2.send(
      new ec2Commands.DescribeSpotInstanceRequestsCommand({ Filters, ...(NextToken ? { NextToken } : {}) }),
    );
    for (const { InstanceId, Status } of page.SpotInstanceRequests ?? []) {
      if (InstanceId === undefined || !Status?.Code?.startsWith('marked-for-')) continue;
      const saidAtMs = Status.UpdateTime?.getTime();
      marked.set(InstanceId, saidAtMs === undefined ? null : saidAtMs + noticeMs);
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return marked;
}

const noticeMs = 120_000;
