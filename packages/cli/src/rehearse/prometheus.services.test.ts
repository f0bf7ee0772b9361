import { workloadDocument } from '@ebb/testing';
import { available, startPrometheus } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';

describe.runIf(available('prometheus'))('a load that a real Prometheus knows', () => {
  const { write, ebb } = commandFolder();
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;

  beforeAll(async () => {
    const classes = [{ name: 'default', command: ['serve'], concurrency: 8, pricePerHour: 1 }];
    write('web.yaml', JSON.stringify(workloadDocument('web', { classes })));
    prometheus = await startPrometheus({ targets: [] });
  });
  afterAll(async () => {
    await prometheus?.stop();
  });

  // A fifth of a request a second in the first ten minutes of each half hour.
  const query = '0.2 * (vector(time()) % 1800 < bool 600)';
  const load = () => [
    '--prometheus',
    prometheus.url,
    '--query',
    query,
    '--since',
    '4h',
    '--cold-start',
    '20s',
    '--json',
  ];

  it('is rehearsed, tuned on and advised on: the same requests each time', async () => {
    const rehearsed = await ebb('rehearse', '--policies', 'ebb,keepalive:1m', ...load());
    expect(rehearsed.err).toContain(`asking ${prometheus.url} for 4h in steps of 60s`);
    const { requests } = JSON.parse(rehearsed.out).traces[0];
    // Eight times ten minutes of twelve a minute; one more or less at the edges.
    expect(Math.abs(requests - 8 * 10 * 12)).toBeLessThanOrEqual(24);
    const tuned = JSON.parse((await ebb('tune', '-f', 'web.yaml', '--budget', '5', ...load())).out);
    expect(Math.abs(tuned.parts.training.requests + tuned.parts.validation.requests - requests)).toBeLessThanOrEqual(
      24,
    );
    const advised = JSON.parse((await ebb('advise', ...load())).out);
    expect(Math.abs(advised.facts.requests - requests)).toBeLessThanOrEqual(24);
  });

  it.each(['rehearse', 'tune -f web.yaml', 'advise'])('%s repeats what it says is wrong', async (command) => {
    const at = [...command.split(' '), '--prometheus', prometheus.url, '--query'];
    const wrong = await ebb(...at, 'sum(');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('parse error')]);
    expect((await ebb(...at, 'nothing_here')).err).toContain('the query found nothing in this range');
    expect((await ebb(...at, 'vector(0) / 0')).err).toContain('all values are NaN');
  });
});
