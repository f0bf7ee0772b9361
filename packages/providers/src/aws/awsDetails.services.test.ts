import { CreateTagsCommand, DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import type { NodeEvent, Provider } from '@ebb/core';
import { available, type MotoService, startMoto, until } from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AwsAccountAtMoto, imageId, launchOf, secretKey } from '../testing/awsAccount.fixture.ts';
import { ec2Answer, ec2Error } from '../testing/awsProxy.ts';

describe.runIf(available('moto'))('aws in detail, at moto behind a proxy', () => {
  let moto: MotoService;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(async () => moto?.stop());

  let account: AwsAccountAtMoto;
  beforeEach(async () => {
    await moto.reset();
    account = new AwsAccountAtMoto(moto);
  });
  afterEach(() => account.close());
  const launch = launchOf('local', 'gpu');

  const watched = (provider: Provider) => {
    const events: NodeEvent[] = [];
    provider.watch((event) => events.push(event));
    const last = (id: string) =>
      events
        .flatMap((event) => (event.type === 'node' ? [event.node] : event.type === 'snapshot' ? event.nodes : []))
        .findLast((node) => node.id === id);
    const reaches = (id: string, phase: string) =>
      until(() => last(id)?.phase === phase, {
        withinMs: 60_000,
        what: () => `${id} gets ${phase}, is ${last(id)?.phase}`,
      });
    return { last, reaches };
  };

  test('what the pool says is what AWS is asked for', async () => {
    const { Subnets } = await account.ec2.send(new DescribeSubnetsCommand());
    const subnets = (Subnets ?? [])
      .slice(0, 2)
      .map(({ AvailabilityZone, SubnetId }) => ({ zone: AvailabilityZone, id: SubnetId }));
    const provider = await account.open('local', {
      gpu: { imageId, subnets, limitSpotPrice: true, tags: { owner: 'ml' }, userDataSecretRef: { name: 'join' } },
    });
    const asked = launch('detail');
    const zone = subnets[1]?.zone ?? '';
    await provider.launch({ ...asked, offering: { ...asked.offering, zone, capacityType: 'spot' } });
    const form = account.proxy.requests.findLast((one) => one.get('Action') === 'RunInstances');
    expect(form?.get('ClientToken')).toBe(`local/${asked.id}`);
    expect(form?.get('SubnetId')).toBe(subnets[1]?.id);
    expect(form?.get('InstanceMarketOptions.MarketType')).toBe('spot');
    expect(form?.get('InstanceMarketOptions.SpotOptions.MaxPrice')).toBe('0.100800');
    expect(form?.get('InstanceMarketOptions.SpotOptions.SpotInstanceType')).toBe('one-time');
    expect(Buffer.from(form?.get('UserData') ?? '', 'base64').toString()).toBe(
      `#!/bin/sh\njoin ${asked.id} example.com/team=vision $HOME`,
    );
    expect(await account.marksOf(asked.id)).toMatchObject({ owner: 'ml', Name: `ebb ${asked.id}` });
    await expect(
      provider.launch({ ...launch('nowhere'), offering: { ...asked.offering, zone: 'us-east-1f' } }),
    ).rejects.toMatchObject({
      code: 'unknown-offering',
      message: expect.stringContaining('has no subnet in zone "us-east-1f"'),
    });
    // The default subnets are six; a machine of any zone is put into one of the pool's.
    for (let number = 0; number < 8; number++) {
      const any = launch('any');
      await provider.launch({ ...any, offering: { ...any.offering, zone: '*' } });
      const used = account.proxy.requests.findLast((one) => one.get('Action') === 'RunInstances')?.get('SubnetId');
      expect(subnets.map(({ id }) => id)).toContain(used);
    }
  });

  test('a refusal says what AWS said, and no secret', async () => {
    const provider = await account.open('local', { gpu: { imageId } });
    for (const [code, expected] of [
      ['UnauthorizedOperation', 'refused'],
      ['AuthFailure', 'refused'],
      ['InvalidParameterCombination', 'refused'],
      ['MaxSpotInstanceCountExceeded', 'quota'],
      ['Unsupported', 'unknown-offering'],
      ['InternalError', 'unavailable'],
    ] as const) {
      const undo = account.proxy.answer(
        'RunInstances',
        ec2Error(code, `said ${code}`, code === 'InternalError' ? 500 : 400),
      );
      const refusal = await provider.launch(launch('refused')).catch((error) => error);
      expect([refusal.code, refusal.message]).toEqual([expected, expect.stringContaining(`said ${code}`)]);
      expect(`${refusal.message}${refusal.stack}`).not.toContain(secretKey);
      undo();
    }
    expect(await provider.list()).toEqual([]);
    expect(account.log.join('\n')).not.toContain(secretKey);
  });

  test('when a spot machine goes is told on the clock of Ebb, also when that of AWS is an hour ahead', async () => {
    const provider = await account.open('local', { gpu: { imageId } });
    const { last, reaches } = watched(provider);
    const asked = launch('skew');
    await provider.launch({ ...asked, offering: { ...asked.offering, capacityType: 'spot' } });
    await reaches(asked.id, 'ready');
    account.proxy.skewMs = 3_600_000;
    await account.pass();
    const toldMs = Date.now();
    const saidAt = new Date(toldMs + 3_600_000 - 30_000).toISOString();
    const item = `<item><spotInstanceRequestId>sir-08b93456</spotInstanceRequestId><status><code>marked-for-termination</code><updateTime>${saidAt}</updateTime></status><instanceId>${await account.nameOf(asked.id)}</instanceId></item>`;
    account.proxy.answer(
      'DescribeSpotInstanceRequests',
      ec2Answer('DescribeSpotInstanceRequests', `<spotInstanceRequestSet>${item}</spotInstanceRequestSet>`),
    );
    await until(() => last(asked.id)?.notice !== null, { withinMs: 30_000, what: () => 'the notice' });
    const leftMs = (last(asked.id)?.notice?.goesAtMs ?? 0) - toldMs;
    expect(leftMs).toBeGreaterThan(75_000);
    expect(leftMs).toBeLessThan(95_000);
  });

  test('a machine says itself when it is ready, and that it may be taken', async () => {
    const provider = await account.open('local', { gpu: { imageId, ready: 'tag' } });
    const { last, reaches } = watched(provider);
    const asked = launch('tags');
    await provider.launch(asked);
    await reaches(asked.id, 'running');
    const Resources = [await account.nameOf(asked.id)];
    const tag = (Key: string, Value: string) =>
      account.ec2.send(new CreateTagsCommand({ Resources, Tags: [{ Key, Value }] }));
    await tag('ebb.dev/ready', 'true');
    await reaches(asked.id, 'ready');
    await tag('ebb.dev/notice', 'rebalance');
    await until(() => last(asked.id)?.notice?.kind === 'rebalance', { withinMs: 30_000, what: () => 'the notice' });
    expect(last(asked.id)?.notice).toEqual({ kind: 'rebalance', goesAtMs: null });
  });

  test('a group: size, protection, and what is waited for; another control plane goes on with it', async () => {
    await account.makeGroup('gpu', 3);
    const first = await account.open('local', { gpu: { autoScalingGroup: 'gpu' } });
    const launches = [launch('g'), launch('g'), launch('g')];
    await Promise.all(launches.map((one) => first.launch(one)));
    expect(await account.group('gpu')).toMatchObject({ desired: 3, wishes: 3 });
    await expect(first.launch(launch('g'))).rejects.toMatchObject({
      code: 'quota',
      message: expect.stringContaining('at most 3'),
    });
    // Nothing is in this one's memory.
    const second = await account.open('local', { gpu: { autoScalingGroup: 'gpu' } });
    await second.launch(launches[0] ?? launch('g'));
    const listed = await second.list();
    expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(launches.map(({ id }) => id)));
    expect(listed.length).toBe(3);
    const group = await account.group('gpu');
    expect(group).toMatchObject({ desired: 3, wishes: 0 });
    expect(group.members.map(({ isProtected }) => isProtected)).toEqual([true, true, true]);
    // Somebody else was faster: the group's word for it.
    const undo = account.proxy.answer('TerminateInstanceInAutoScalingGroup', {
      status: 400,
      xml: '<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Instance Id not found - No managed instance found for instance ID: i-0123</Message></Error><RequestId>x</RequestId></ErrorResponse>',
    });
    await second.terminate({ id: launches[1]?.id ?? '' });
    undo();
    await second.terminate({ id: launches[1]?.id ?? '' });
    expect(await account.group('gpu')).toMatchObject({ desired: 2 });
    const left = (await second.list()).map(({ id }) => id);
    expect(new Set(left)).toEqual(new Set([launches[0]?.id, launches[2]?.id]));
  });

  test('a group that can make no machine says why, and a launch that is given up leaves nothing', async () => {
    await account.makeGroup('gpu');
    const provider = await account.open('local', { gpu: { autoScalingGroup: 'gpu' } });
    // The group does not grow: it accepts its size, and makes no machine.
    account.proxy.answer('SetDesiredCapacity', {
      status: 200,
      xml: '<SetDesiredCapacityResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></SetDesiredCapacityResponse>',
    });
    const activity = `<member><ActivityId>a</ActivityId><AutoScalingGroupName>gpu</AutoScalingGroupName><StatusCode>Failed</StatusCode><StatusMessage>We currently do not have sufficient p5.48xlarge capacity in the Availability Zone you requested (us-east-1a). Our system will be working on provisioning additional capacity. Launching EC2 instance failed.</StatusMessage><Cause>x</Cause><StartTime>2026-01-01T00:00:00Z</StartTime></member>`;
    account.proxy.answer('DescribeScalingActivities', {
      status: 200,
      xml: `<DescribeScalingActivitiesResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeScalingActivitiesResult><Activities>${activity}</Activities></DescribeScalingActivitiesResult></DescribeScalingActivitiesResponse>`,
    });
    const asked = launch('none');
    await provider.launch(asked);
    expect(await provider.list()).toMatchObject([
      {
        id: asked.id,
        phase: 'requested',
        failure: 'stock-out',
        message: expect.stringContaining('sufficient p5.48xlarge'),
      },
    ]);
    await provider.terminate({ id: asked.id });
    expect(await provider.list()).toEqual([]);
    // A launch that comes too late is over as well.
    await provider.launch(asked);
    expect(await provider.list()).toEqual([]);
    expect(await account.group('gpu')).toMatchObject({ desired: 0, wishes: 0 });
  });

  test('a launch that is given up before its machine has a name leaves no machine, and ends no other', async () => {
    await account.makeGroup('gpu');
    const provider = await account.open('local', { gpu: { autoScalingGroup: 'gpu' } });
    const kept = launch('kept');
    await provider.launch(kept);
    expect(await provider.list()).toMatchObject([{ id: kept.id }]);
    const dropped = launch('dropped');
    await provider.launch(dropped);
    expect(await account.group('gpu')).toMatchObject({ desired: 2, wishes: 1 });
    await provider.terminate({ id: dropped.id });
    const { desired, members, wishes } = await account.group('gpu');
    expect({ desired, members: members.map(({ name }) => name), wishes }).toEqual({
      desired: 1,
      members: [await account.nameOf(kept.id)],
      wishes: 0,
    });
    expect((await provider.list()).map(({ id }) => id)).toEqual([kept.id]);
  });

  test('a group that does not exist hides no other machine', async () => {
    const provider = await account.open('local', { gpu: { imageId }, wrong: { autoScalingGroup: 'gone' } });
    const asked = launch('other');
    await provider.launch(asked);
    expect(await provider.list()).toMatchObject([{ id: asked.id }]);
    await provider.list();
    expect(account.log).toEqual(['there is no Auto Scaling group "gone"']);
    await expect(provider.launch({ ...asked, id: 'wrong', pool: 'local/default/wrong' })).rejects.toMatchObject({
      code: 'refused',
    });
    await provider.terminate({ id: asked.id });
    expect(await provider.list()).toMatchObject([]);
  });
});
