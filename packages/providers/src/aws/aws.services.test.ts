import { SetDesiredCapacityCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { DeleteTagsCommand, RunInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import type { Provider } from '@ebb/core';
import { describeProviderConformance, type ProviderUnderTest } from '@ebb/testing/conformance';
import { available, type MotoService, startMoto, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe } from 'vitest';
import { AwsAccountAtMoto, imageId, launchOf } from '../testing/awsAccount.fixture.ts';
import { ec2Answer, ec2Error } from '../testing/awsProxy.ts';

describe.runIf(available('moto'))('aws', () => {
  let moto: MotoService;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(async () => moto?.stop());

  describeProviderConformance('aws, machines one by one, at moto behind a proxy that injects faults', async () => {
    await moto.reset();
    const account = new AwsAccountAtMoto(moto);
    const { proxy } = account;
    const provider = await account.open('conformance', { plain: { imageId }, tagged: { imageId, ready: 'tag' } });
    const other = await account.open('other', { plain: { imageId } });
    const under = usual(account, provider, other, 'plain');
    const launch = launchOf('conformance', 'plain');
    return {
      ...under,
      impossible: (id) => ({ ...launch(id), offering: { ...launch(id).offering, instanceType: 'm7i.enormous' } }),
      faults: {
        ...under.faults,
        stockOut: () =>
          proxy.answer(
            'RunInstances',
            ec2Error(
              'InsufficientInstanceCapacity',
              'We currently do not have sufficient m7i.large capacity in the Availability Zone you requested (us-east-1a).',
              500,
            ),
          ),
        quota: () =>
          proxy.answer(
            'RunInstances',
            ec2Error(
              'VcpuLimitExceeded',
              'You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket.',
            ),
          ),
        lostAnswer: () => proxy.loseAnswers('RunInstances', 3),
        async interrupted(id) {
          const name = await account.nameOf(id);
          const said = `<status><code>marked-for-termination</code><updateTime>${new Date().toISOString()}</updateTime></status>`;
          const item = `<item><spotInstanceRequestId>sir-08b93456</spotInstanceRequestId><state>active</state>${said}<instanceId>${name}</instanceId></item>`;
          proxy.answer(
            'DescribeSpotInstanceRequests',
            ec2Answer('DescribeSpotInstanceRequests', `<spotInstanceRequestSet>${item}</spotInstanceRequestSet>`),
          );
          const asked = proxy.count('DescribeSpotInstanceRequests');
          await until(() => proxy.count('DescribeSpotInstanceRequests') > asked + 1, {
            withinMs: 30_000,
            what: () => 'a question for notices',
          });
          await account.ec2.send(new TerminateInstancesCommand({ InstanceIds: [name] }));
        },
        async foreign() {
          const Tags = [{ Key: 'ebb.dev/cluster', Value: 'conformance' }];
          const TagSpecifications = [{ ResourceType: 'instance' as const, Tags }];
          const made = await account.ec2.send(
            new RunInstancesCommand({
              ImageId: imageId,
              MinCount: 1,
              MaxCount: 1,
              InstanceType: 'm7i.large',
              TagSpecifications,
            }),
          );
          return made.Instances?.[0]?.InstanceId ?? '';
        },
      },
    };
  });

  describeProviderConformance(
    'aws, members of Auto Scaling groups, at moto behind a proxy that injects faults',
    async () => {
      await moto.reset();
      const account = new AwsAccountAtMoto(moto);
      const { proxy } = account;
      for (const name of ['plain', 'tagged', 'others']) await account.makeGroup(name);
      const provider = await account.open('conformance', {
        plain: { autoScalingGroup: 'plain' },
        tagged: { autoScalingGroup: 'tagged', ready: 'tag' },
      });
      const other = await account.open('other', { plain: { autoScalingGroup: 'others' } });
      const under = usual(account, provider, other, 'plain');
      const resize = (MaxSize: number) =>
        account.groups.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'plain', MaxSize }));
      return {
        ...under,
        faults: {
          ...under.faults,
          async quota() {
            await resize(0);
            return async () => {
              await resize(10);
            };
          },
          lostAnswer: () => proxy.loseAnswers('SetDesiredCapacity', 3),
          async foreign() {
            const before = (await account.group('plain')).members.map(({ name }) => name);
            await account.groups.send(
              new SetDesiredCapacityCommand({ AutoScalingGroupName: 'plain', DesiredCapacity: before.length + 1 }),
            );
            return (await account.group('plain')).members.find(({ name }) => !before.includes(name))?.name ?? '';
          },
        },
      };
    },
  );
});

function usual(account: AwsAccountAtMoto, provider: Provider, other: Provider, pool: string): ProviderUnderTest {
  const { proxy } = account;
  return {
    provider,
    other,
    launch: launchOf('conformance', pool),
    impossible: () => null,
    marksOf: (id) => account.marksOf(id),
    faults: {
      throttled() {
        proxy.everything = ec2Error('RequestLimitExceeded', 'Request limit exceeded.', 503);
        return () => {
          proxy.everything = null;
        };
      },
      down() {
        proxy.isDown = true;
        return () => {
          proxy.isDown = false;
        };
      },
      neverJoins: (launch) => ({ ...launch, pool: 'conformance/default/tagged' }),
      async dies(id) {
        await account.ec2.send(new TerminateInstancesCommand({ InstanceIds: [await account.nameOf(id)] }));
      },
      async hangs(id) {
        const status = `<status>impaired</status>`;
        const item = `<item><instanceId>${await account.nameOf(id)}</instanceId><instanceState><code>16</code><name>running</name></instanceState><systemStatus><status>ok</status></systemStatus><instanceStatus>${status}</instanceStatus></item>`;
        proxy.answer(
          'DescribeInstanceStatus',
          ec2Answer('DescribeInstanceStatus', `<instanceStatusSet>${item}</instanceStatusSet>`),
        );
      },
      skewed(skewMs) {
        proxy.skewMs = skewMs;
        return () => {
          proxy.skewMs = 0;
        };
      },
      async vanishes(id) {
        const Tags = ['ebb.dev/cluster', 'ebb.dev/node'].map((Key) => ({ Key }));
        await account.ec2.send(new DeleteTagsCommand({ Resources: [await account.nameOf(id)], Tags }));
      },
    },
    until: (condition, what) => until(condition, { withinMs: 60_000, what: () => what }),
    pass: () => account.pass(),
    close: () => account.close(),
  };
}
