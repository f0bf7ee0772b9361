import { refusedPort } from '@ebb/testing/services';
import { describe, expect, it } from 'vitest';
import { Failure } from '../failure.ts';
import { commandFolder } from '../runMain.fixture.ts';
import { readSettings } from './settings.ts';

describe('settings of an installation', () => {
  it('are those of the flags, over those that were chosen before', () => {
    const before = { namespace: 'shop', image: 'a:1', readNamespaces: ['x'], metrics: 'false', withoutKinds: true };
    expect(readSettings({}, before)).toEqual(before);
    const flags = {
      ...{
        image: 'b:2',
        readNamespace: ['y', 'y', 'shop'],
        metrics: true,
        kinds: true,
        watchNamespace: ['team-b,team-a', 'team-b'],
      },
      serviceAccountAnnotation: ['eks.amazonaws.com/role-arn=arn:aws:iam::1:role/a=b'],
      podLabel: ['azure.workload.identity/use=true', 'team='],
    };
    expect(readSettings(flags, before)).toEqual({
      ...{ namespace: 'shop', image: 'b:2', readNamespaces: ['y'], metrics: 'true', withoutKinds: false },
      watchNamespace: 'team-b,team-a',
      serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/a=b' },
      podLabels: { 'azure.workload.identity/use': 'true', team: '' },
    });
  });

  it('take advice over what was chosen, and give it up again', () => {
    const advice = readSettings({ advice: true, takeOver: true }, { nodePools: 'true' });
    expect(advice).toMatchObject({ advice: 'true', takeOver: 'true', nodePools: 'true' });
    expect(readSettings({ advice: false }, advice)).toMatchObject({ advice: 'false', takeOver: 'false' });
    expect(readSettings({ advice: true }, advice)).toMatchObject({ advice: 'true', takeOver: 'false' });
    expect(readSettings({ takeOver: true }, { advice: 'true' })).toMatchObject({ advice: 'true', takeOver: 'true' });
    expect(readSettings({ image: 'b:2' }, advice)).toMatchObject({ advice: 'true', takeOver: 'true' });
    expect(readSettings({ gateway: true }, advice)).toMatchObject({ gateway: true });
  });

  it.each([
    [{ takeOver: true }, '--take-over is for --advice'],
    [{ advice: true, nodePools: true }, 'leave --node-pools out'],
    [{ advice: true, gateway: true }, 'leave --gateway out, or add --take-over'],
    [{ watchNamespace: ['b', 'Team_A'] }, 'Did you mean team-a?'],
    [{ watchNamespace: ['a,'] }, '"" is not the name of a namespace'],
    [{ podLabel: ['team'] }, '--pod-label: "team" is not KEY=VALUE'],
    [{ podLabel: ['team=a b'] }, '--pod-label team: "a b" is not the value of a label'],
    [{ serviceAccountAnnotation: ['=x'] }, '--service-account-annotation: "=x" is not KEY=VALUE'],
    [{ watchNamespace: ['a'], nodePools: true }, '--node-pools needs rights in the whole cluster'],
  ])('refuse %j', (flags, told) => {
    expect(() => readSettings(flags)).toThrow(Failure);
    expect(() => readSettings(flags)).toThrow(told);
  });
});

describe('without a cluster', () => {
  const folder = commandFolder();

  it('says that the kubeconfig is none, or has no such context', async () => {
    const none = await folder.ebb('kubernetes', 'doctor', '--kubeconfig', folder.at('none'));
    expect(none).toMatchObject({ code: 2, out: '' });
    expect(none.err).toMatch(/^ebb: no cluster: .*none/);
    const port = await refusedPort();
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here', users: [{ name: 'me', user: {} }] },
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}` } }],
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'me' } }],
    };
    folder.write('config', JSON.stringify(config));
    const where = ['--kubeconfig', folder.at('config')];
    const other = await folder.ebb('kubernetes', 'uninstall', ...where, '--context', 'there');
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringMatching(/there is no context "there" in .*config; there are here/),
    });
    for (const command of ['install', 'upgrade', 'uninstall', 'doctor']) {
      const away = await folder.ebb('kubernetes', command, ...where);
      expect(away).toMatchObject({ code: 3, out: '' });
      expect(away.err).toContain(`https://127.0.0.1:${port} does not answer`);
    }
  });
});
