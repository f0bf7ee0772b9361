import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { available } from './installed.ts';
import { type MotoService, startMoto } from './moto.ts';

describe.runIf(available('moto'))('moto', () => {
  let moto: MotoService;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(async () => moto?.stop());

  const ask = async (action: string, more: Record<string, string> = {}) => {
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ec2/aws4_request' };
    const body = new URLSearchParams({ Action: action, Version: '2016-11-15', ...more });
    const answer = await fetch(moto.url, { method: 'POST', headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  const machine = { ImageId: 'ami-12c6146b', MinCount: '1', MaxCount: '1' };

  it('makes machines, and forgets them at a reset', async () => {
    expect((await ask('RunInstances', { ...machine, InstanceType: 'm7i.large' })).status).toBe(200);
    expect((await ask('DescribeInstances')).text).toContain('<instanceType>m7i.large</instanceType>');
    await moto.reset();
    expect((await ask('DescribeInstances')).text).not.toContain('m7i.large');
  });

  it('refuses a machine that AWS does not have', async () => {
    const { status, text } = await ask('RunInstances', { ...machine, InstanceType: 'm7i.enormous' });
    expect(status).toBe(400);
    expect(text).toContain('InvalidInstanceType');
  });
});
