import { yamlValues } from '@ebb/documents';
import { afterAll, describe, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { text, files } = docsPage('kubernetes-nodes.md');
const folder = folderOf(files);
afterAll(() => folder.remove());
const { ebb } = commandFolder();

describe('docs/kubernetes-nodes.md', () => {
  it.each(['nodes.yaml', 'pools.yaml'])('shows documents that are right: %s', async (name) => {
    expect(files.has(name)).toBe(true);
    const { code, err, out } = await ebb('validate', '-f', `${folder.path}/${name}`);
    expect({ code, said: `${out}${err}`.split('\n').filter((line) => line.includes('error')) }).toEqual({
      code: 0,
      said: [],
    });
  });

  it('names commands that are there, and does not ask for them in vain', async () => {
    expect(text).toContain('ebb kubernetes manifests --node-pools |');
    const { out } = await ebb('kubernetes', 'manifests', '--node-pools', '--no-kinds', '--json');
    const { items } = JSON.parse(out) as { items: { kind: string; metadata: { name: string } }[] };
    expect(items.filter(({ metadata }) => metadata.name === 'ebb-nodes').map(({ kind }) => kind)).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
    ]);
    expect(text).toContain('ebb kubernetes device-plugin -f pools.yaml |');
    const made = await ebb('kubernetes', 'device-plugin', '-f', `${folder.path}/pools.yaml`);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(yamlValues(made.out)).toMatchObject([
      { kind: 'ConfigMap', metadata: { name: 'ebb-device-plugin', namespace: 'gpu-operator' } },
    ]);
    expect(Object.keys((yamlValues(made.out)[0] as { data: object }).data)).toEqual([
      'default',
      'time-slicing-4',
      'mig',
    ]);
  });

  it('says what is wrong with pools that cannot be served', async () => {
    const pool = {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'NodePool',
      metadata: { name: 'cut' },
      spec: { gpuSharing: 'mig' },
    };
    const bare = folderOf(new Map([['pool.yaml', JSON.stringify(pool)]]));
    const { code, err } = await ebb('kubernetes', 'device-plugin', '-f', `${bare.path}/pool.yaml`);
    bare.remove();
    expect(code).toBe(1);
    expect(err).toContain('pool cut: its labels need nvidia.com/mig.config with a layout such as all-1g.10gb');
    expect((await ebb('kubernetes', 'device-plugin', '-f', `${folder.path}/pools.yaml`, '-n', 'No')).code).toBe(2);
    expect((await ebb('operator', '--node-pools', '--namespace', 'shop')).err).toContain('exclude each other');
    expect((await ebb('operator', '--catalogue', 'x.csv')).err).toContain('needs --node-pools');
  });
});
