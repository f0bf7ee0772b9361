import { type Manifest, installManifests } from '@ebb/kubernetes';
import { yamlValues } from '@ebb/documents';
import { describe, expect, test } from 'vitest';
import { commandFolder } from './runMain.fixture.ts';

const { ebb } = commandFolder();
const manifests = (...words: string[]) => ebb('kubernetes', 'manifests', ...words);

describe('ebb kubernetes manifests', () => {
  test('prints what is to be applied, and nothing else', async () => {
    const { code, out, err } = await manifests();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(yamlValues(out)).toEqual(yamlValues(JSON.stringify(installManifests())).flat());
  });

  test('takes namespace, image, volume, and who else is read', async () => {
    const { out } = await manifests(
      ...['-n', 'shop', '--image', 'registry.example/ebb:7', '--storage-size', '5Gi', '--storage-class', 'fast'],
      ...['--read-namespace', 'team-a', '--read-namespace', 'team-b', '--network-policy', '--no-kinds', '--json'],
    );
    const { items } = JSON.parse(out) as { items: Manifest[] };
    const named = (kind: string) => items.filter((one) => one.kind === kind);
    expect(named('CustomResourceDefinition')).toEqual([]);
    expect(named('NetworkPolicy').map(({ metadata }) => metadata.name)).toEqual(['ebb', 'ebb-gateway']);
    expect(named('Role').map(({ metadata }) => metadata.namespace)).toEqual(['shop', 'shop', 'team-a', 'team-b']);
    expect(named('PersistentVolumeClaim')).toMatchObject([
      { spec: { storageClassName: 'fast', resources: { requests: { storage: '5Gi' } } } },
    ]);
    expect(named('Deployment')).toMatchObject([
      { spec: { template: { spec: { containers: [{ image: 'registry.example/ebb:7' }] } } } },
      { spec: { template: { spec: { containers: [{ image: 'registry.example/ebb:7' }] } } } },
    ]);
    const without = JSON.parse((await manifests('--no-gateway', '--network-policy', '--json')).out) as {
      items: Manifest[];
    };
    expect(without.items.filter(({ metadata }) => metadata.name === 'ebb-gateway')).toEqual([]);
  });

  test('takes the Secret of a database', async () => {
    const { out } = await manifests('--postgres-secret', 'ebb-store', '--json');
    const { items } = JSON.parse(out) as { items: Manifest[] };
    expect(items.filter(({ kind }) => kind === 'PersistentVolumeClaim')).toEqual([]);
    expect(out).toContain('"secretKeyRef"');
  });

  test('does not show an address that was written in the place of a Secret', async () => {
    const { code, err } = await manifests('--postgres-secret', 'postgres://ebb:word@db/ebb');
    expect(code).toBe(2);
    expect(err).toContain('--postgres-secret is the name of a Secret');
    expect(err).not.toContain('word');
  });

  test('gives its own namespace one Role only, named or not', async () => {
    const { out } = await manifests('--read-namespace', 'ebb-system', '--json');
    const { items } = JSON.parse(out) as { items: Manifest[] };
    expect(items.filter(({ metadata }) => metadata.name === 'ebb-credentials')).toHaveLength(2);
  });

  test.each([
    [['-n', 'Shop_A'], '"Shop_A" is not the name of a namespace', 'Did you mean shop-a?'],
    [['--read-namespace', 'a.b'], '"a.b" is not the name of a namespace', 'digits and dashes'],
    [['--storage-size', 'much'], '--storage-size: ', '"much"'],
    [['--image', 'two words'], '"two words" is not a reference of an image', 'registry.example/ebb'],
  ])('refuses %j', async (words, ...told) => {
    const { code, out, err } = await manifests(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    for (const text of told) expect(err).toContain(text);
  });
});
