import { createHash } from 'node:crypto';
import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import { type NodeLaunch, ProviderError } from '@ebb/core';
import type { AwsPoolSpec } from '@ebb/documents';
import { tagsOf, toList } from './tags.ts';

const microsInUnit = 1_000_000;
/** What AWS takes as a client token. */
const longestToken = 64;

/**
 * The request for one machine. Its token is made of cluster and id alone: AWS makes one machine of however many requests with it.
 * @throws ProviderError `unknown-offering` when the pool has no subnet in the zone.
 */
export function runInstancesInput(
  launch: NodeLaunch,
  pool: AwsPoolSpec,
  userData: string | null,
): RunInstancesCommandInput {
  const { askedAtMs, cluster, id, labels, offering } = launch;
  const { capacityType } = offering;
  const tags = toList(tagsOf({ id, cluster, pool: launch.pool, askedAtMs, capacityType }, labels, pool));
  const { imageId, instanceProfile, launchTemplate, securityGroups } = pool;
  return {
    ClientToken: clientToken(`${cluster}/${id}`),
    MinCount: 1,
    MaxCount: 1,
    InstanceType: offering.instanceType as RunInstancesCommandInput['InstanceType'],
    ...(launchTemplate === null
      ? {}
      : { LaunchTemplate: { LaunchTemplateName: launchTemplate.name, Version: launchTemplate.version } }),
    ...(imageId === null ? {} : { ImageId: imageId }),
    ...placeOf(launch, pool),
    ...(securityGroups.length === 0 ? {} : { SecurityGroupIds: securityGroups }),
    ...(instanceProfile === null
      ? {}
      : {
          IamInstanceProfile: instanceProfile.startsWith('arn:') ? { Arn: instanceProfile } : { Name: instanceProfile },
        }),
    ...(userData === null ? {} : { UserData: Buffer.from(filledIn(userData, launch)).toString('base64') }),
    ...marketOf(launch, pool),
    TagSpecifications: [
      { ResourceType: 'instance', Tags: tags },
      { ResourceType: 'volume', Tags: tags },
    ],
  };
}

/** Any zone: one of the subnets, the same for every request with this id, so that asking again is the same request. */
function placeOf(
  { id, offering, pool: name }: NodeLaunch,
  { subnets }: AwsPoolSpec,
): Partial<RunInstancesCommandInput> {
  const { zone } = offering;
  if (subnets.length === 0) return zone === '*' ? {} : { Placement: { AvailabilityZone: zone } };
  const fitting = zone === '*' ? subnets : subnets.filter((subnet) => subnet.zone === zone);
  const subnet = fitting[hashOf(id).readUInt32BE(0) % Math.max(1, fitting.length)];
  if (subnet) return { SubnetId: subnet.id };
  const have = subnets.map((one) => one.zone).join(', ');
  throw new ProviderError('unknown-offering', `pool "${name}" has no subnet in zone "${zone}"; it has some in ${have}`);
}

function marketOf({ offering, pricePerHourMicro }: NodeLaunch, pool: AwsPoolSpec): Partial<RunInstancesCommandInput> {
  const { capacityReservation, limitSpotPrice } = pool;
  if (offering.capacityType === 'reserved') {
    const CapacityReservationSpecification =
      capacityReservation === null
        ? { CapacityReservationPreference: 'capacity-reservations-only' as const }
        : { CapacityReservationTarget: { CapacityReservationId: capacityReservation } };
    return { CapacityReservationSpecification, InstanceInitiatedShutdownBehavior: 'terminate' };
  }
  if (offering.capacityType === 'on-demand') return { InstanceInitiatedShutdownBehavior: 'terminate' };
  const MaxPrice = (pricePerHourMicro / microsInUnit).toFixed(6);
  return {
    InstanceMarketOptions: {
      MarketType: 'spot',
      SpotOptions: {
        SpotInstanceType: 'one-time',
        InstanceInterruptionBehavior: 'terminate',
        ...(limitSpotPrice ? { MaxPrice } : {}),
      },
    },
  };
}

/** Labels and taints as the kubelet takes them. */
function filledIn(text: string, { cluster, id, labels, pool, startupTaints, taints }: NodeLaunch): string {
  const values: Record<string, string> = {
    EBB_NODE: id,
    EBB_CLUSTER: cluster,
    EBB_POOL: pool,
    EBB_LABELS: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    EBB_TAINTS: [...taints, ...startupTaints].map(({ effect, key, value }) => `${key}=${value}:${effect}`).join(','),
  };
  return text.replaceAll(/\$\{(EBB_[A-Z]+)\}/g, (whole, name: string) => values[name] ?? whole);
}

function clientToken(text: string): string {
  return /^[!-~]+$/.test(text) && text.length <= longestToken ? text : hashOf(text).toString('hex');
}

function hashOf(id: string): Buffer {
  return createHash('sha256').update(id).digest();
}
