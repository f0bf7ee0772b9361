import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, DescribeInstancesCommand, EC2Client, type Instance } from '@aws-sdk/client-ec2';
import type { NodeLaunch, Provider } from '@ebb/core';
import { nodeLaunch } from '@ebb/testing';
import { type MotoService, until } from '@ebb/testing/services';
import { openAws } from '../aws/aws.ts';
import { realClock } from '../cloud/fakeServer.fixture.ts';
import { cloudPool } from '../cloud/pools.fixture.ts';
import { AwsProxy } from './awsProxy.ts';
import { MemoryBook } from './memoryBook.ts';

const everyMs = 100;
const region = 'us-east-1';
export const imageId = 'ami-12c6146b';
export const secretKey = 'hush-4711-hush';

/** An account at moto, the proxy before it, and somebody with a console of AWS. */
export class AwsAccountAtMoto {
  readonly proxy: AwsProxy;
  readonly ec2: EC2Client;
  readonly groups: AutoScalingClient;
  readonly log: string[] = [];
  endpoint = '';
  readonly #providers: Provider[] = [];

  constructor(moto: MotoService) {
    this.proxy = new AwsProxy(moto.url);
    const config = { region, endpoint: moto.url, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
    this.ec2 = new EC2Client(config);
    this.groups = new AutoScalingClient(config);
  }

  async open(cluster: string, pools: Record<string, Record<string, unknown>>): Promise<Provider> {
    this.endpoint ||= await this.proxy.start();
    const resolved = Object.entries(pools).map(([name, aws]) =>
      cloudPool(cluster, name, {
        labels: { 'example.com/team': 'vision' },
        aws: { credentialsSecretRef: { name: 'aws' }, ...aws },
      }),
    );
    const ports = {
      clock: realClock,
      book: new MemoryBook(),
      log: (line: string) => this.log.push(line),
      secrets: async () => ({
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: secretKey,
        userData: '#!/bin/sh\njoin ${EBB_NODE} ${EBB_LABELS} $HOME',
      }),
    };
    const provider = await openAws({ cluster, region, pools: () => resolved }, ports, {
      everyMs,
      endpoint: this.endpoint,
    });
    this.#providers.push(provider);
    return provider;
  }

  async instances(tag: string, value: string): Promise<Instance[]> {
    const Filters = [{ Name: `tag:${tag}`, Values: [value] }];
    const { Reservations } = await this.ec2.send(new DescribeInstancesCommand({ Filters }));
    return (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
  }

  async nameOf(id: string): Promise<string> {
    return (await this.instances('ebb.dev/node', id))[0]?.InstanceId ?? '';
  }

  async marksOf(id: string): Promise<Record<string, string> | null> {
    const [found] = await this.instances('ebb.dev/node', id);
    return found ? Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])) : null;
  }

  async makeGroup(name: string, MaxSize = 10): Promise<void> {
    const template = {
      LaunchTemplateName: `template-${name}`,
      LaunchTemplateData: { ImageId: imageId, InstanceType: 'm7i.large' },
    };
    await this.ec2.send(
      new CreateLaunchTemplateCommand(template as ConstructorParameters<typeof CreateLaunchTemplateCommand>[0]),
    );
    await this.groups.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName: name,
        LaunchTemplate: { LaunchTemplateName: `template-${name}`, Version: '$Latest' },
        MinSize: 0,
        MaxSize,
        AvailabilityZones: ['us-east-1a'],
      }),
    );
  }

  async group(name: string) {
    const input = { AutoScalingGroupNames: [name] };
    const [group] = (await this.groups.send(new DescribeAutoScalingGroupsCommand(input))).AutoScalingGroups ?? [];
    return {
      desired: group?.DesiredCapacity ?? -1,
      members: (group?.Instances ?? []).map(({ InstanceId = '', ProtectedFromScaleIn }) => ({
        name: InstanceId,
        isProtected: ProtectedFromScaleIn,
      })),
      wishes: (group?.Tags ?? []).filter(({ Key }) => Key?.startsWith('ebb.dev/wish/')).length,
    };
  }

  /** Two answers to rounds of questions; a second at most, where nobody asks any more. */
  async pass(): Promise<void> {
    const target = this.proxy.count('DescribeInstances') + 12;
    const untilMs = Date.now() + 1000;
    await until(() => this.proxy.count('DescribeInstances') >= target || Date.now() > untilMs, {
      withinMs: 30_000,
      what: () => 'two rounds',
    });
  }

  async close(): Promise<void> {
    for (const provider of this.#providers) await provider.close();
    this.ec2.destroy();
    this.groups.destroy();
    await this.proxy.stop();
  }
}

const ids = { next: 0 };
/** Marks of moto's account are forgotten between tests; ids are not used twice all the same. */
export function launchOf(cluster: string, pool: string) {
  return (id: string, other = cluster): NodeLaunch =>
    nodeLaunch(`${id}-${ids.next++}`, { cluster: other, pool: `${other}/default/${pool}`, askedAtMs: Date.now() });
}
