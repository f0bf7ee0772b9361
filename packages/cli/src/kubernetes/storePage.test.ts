import { installManifests } from '@ebb/kubernetes';
import { yamlValues } from '@ebb/documents';
import { readStoreSettings } from '@ebb/controller';
import { describe, expect, it } from 'vitest';
import { docsPage } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { text, files } = docsPage('kubernetes-store.md');
const { ebb } = commandFolder();
const wrong = commandFolder({ env: { EBB_STORE_URL: 'postgres://ebb:word@db:none/ebb' } });

interface Secret {
  metadata: { name: string; namespace: string };
  stringData: Record<string, string>;
}

describe('docs/kubernetes-store.md', () => {
  const [secret] = yamlValues(files.get('store.yaml') ?? '') as Secret[];

  it('shows a Secret that the installation reads as it is', async () => {
    expect(text).toContain('ebb kubernetes manifests --postgres-secret ebb-store |');
    const { code, out } = await ebb(
      'kubernetes',
      'manifests',
      '--postgres-secret',
      'ebb-store',
      '--no-kinds',
      '--json',
    );
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { items: { kind: string; metadata: object }[] };
    expect(
      items.some(
        ({ kind, metadata }) =>
          kind === 'Namespace' && 'name' in metadata && metadata.name === secret?.metadata.namespace,
      ),
    ).toBe(true);
    const deployment = JSON.stringify(items.filter(({ kind }) => kind === 'Deployment')[0]);
    expect(deployment).toContain(`"secretKeyRef":{"name":"${secret?.metadata.name}","key":"url"}`);
    for (const key of Object.keys(secret?.stringData ?? {})) expect(deployment).toContain(`"key":"${key}"`);
  });

  it('shows an address that can be read, whose certificate is where it is mounted', () => {
    const { url, password } = secret?.stringData ?? {};
    const settings = readStoreSettings({ EBB_STORE_URL: url, EBB_STORE_PASSWORD: password });
    expect(settings?.address).toMatchObject({ user: 'ebb', database: 'ebb', password, sslMode: 'verify-full' });
    const mounted = JSON.stringify(installManifests({ postgresSecret: 'ebb-store' }));
    const { ca = '' } = settings?.address.files ?? {};
    expect(ca).toBe('/etc/ebb/store/ca.crt');
    expect(mounted).toContain(`"mountPath":"${ca.slice(0, ca.lastIndexOf('/'))}"`);
  });

  it('has what the command says of wrong settings', async () => {
    for (const name of ['EBB_STORE_URL', 'EBB_STORE_PASSWORD', 'EBB_STORE_SCHEMA'])
      expect(text).toContain(`\`${name}\``);
    const { out } = await ebb('operator', '--help');
    expect(out).toContain('EBB_STORE_URL');
    const { code, err } = await wrong.ebb('operator');
    expect(code).toBe(2);
    expect(err).toContain('EBB_STORE_URL: the connection string');
    expect(err).not.toContain('word');
  });
});
