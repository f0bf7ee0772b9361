import { type Client, connect } from '@ebb/client';
import { VirtualSystem, virtualEpochMs } from '@ebb/testing';
import { expect, it } from 'vitest';
import { type ApiSystem, apiSystem, documentText, json, token } from './apiSystem.fixture.ts';
import { costReportSchema } from './schemas.ts';

async function paid(): Promise<ApiSystem<VirtualSystem> & { client: Client }> {
  const set = await apiSystem(new VirtualSystem());
  const scaling = { minReplicas: 1, maxReplicas: 1, policy: { type: 'windows' } };
  await set.ask('POST', '/api/v1/apply', { headers: json, payload: documentText('a', { scaling }) });
  await set.system.clock.advance(3_600_000);
  const url = await set.app.listen({ host: '127.0.0.1', port: 0 });
  return { ...set, client: await connect({ url, token }) };
}

it('tells what was paid as its schema says, to the micro-unit', async () => {
  const { client, system } = await paid();
  const report = costReportSchema.parse(await client.cost());
  expect(report).toMatchObject({ from: 0, to: system.clock.nowMs(), by: 'workload', namespace: null });
  expect(report.groups.map(({ name }) => name)).toEqual(['default/a']);
  expect(report.groups[0]?.costMicro).toBe(report.totals[0]?.costMicro);
  const toMs = system.clock.nowMs() - 1_800_000;
  const part = await client.cost({ fromMs: toMs - 1_000_000, toMs, by: 'label:team', namespace: 'default' });
  expect(part.totals).toMatchObject([{ costMicro: '100000', replicaSeconds: 1000 }]);
  expect(part.groups.map(({ name }) => name)).toEqual(['']);
  expect((await client.cost({ namespace: 'other' })).groups).toEqual([]);
});

it.each([
  ['by=colour', 'query parameter "by": "colour" is none of workload, class, pool, node or label:KEY'],
  ['by=label:', 'is none of'],
  [`fromMs=${virtualEpochMs}&toMs=1`, 'is later than toMs 1'],
  ['fromMs=-1', 'query parameter "fromMs"'],
  ['since=1', 'query parameter "since"'],
])('%s is refused', async (query, message) => {
  const { ask } = await apiSystem(new VirtualSystem());
  const answer = await ask('GET', `/api/v1/cost?${query}`);
  expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'invalid-parameter' }]);
  expect(answer.json().detail).toContain(message);
});
