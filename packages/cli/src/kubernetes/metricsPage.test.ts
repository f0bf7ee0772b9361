import { parseDocuments, resolveHpa } from '@ebb/documents';
import { afterAll, describe, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { text, files } = docsPage('kubernetes-metrics.md');
const folder = folderOf(files);
afterAll(() => folder.remove());
const { ebb } = commandFolder();

describe('docs/kubernetes-metrics.md', () => {
  it.each(['cpu.yaml', 'adapter.yaml'])('shows documents that are right: %s', async (name) => {
    expect(files.has(name)).toBe(true);
    const { code, err, out } = await ebb('validate', '-f', `${folder.path}/${name}`);
    expect({ code, said: `${out}${err}`.split('\n').filter((line) => line.includes('error')) }).toEqual({
      code: 0,
      said: [],
    });
  });

  it('shows an HPA that follows Ebb by the names that are served', () => {
    const { documents } = parseDocuments(files.get('hpa.yaml') ?? '', { file: 'hpa.yaml' });
    expect(documents).toHaveLength(1);
    const [metric] = resolveHpa(documents[0]?.document as Parameters<typeof resolveHpa>[0]).metrics;
    expect(metric).toMatchObject({ type: 'External', name: 'ebb-replicas', target: { averageValueMilli: 1000 } });
  });

  it('names commands that are there, and what they switch on', async () => {
    expect(text).toContain('ebb kubernetes manifests --external-metrics |');
    const { out } = await ebb('kubernetes', 'manifests', '--external-metrics', '--no-kinds', '--json');
    const { items } = JSON.parse(out) as { items: { kind: string; metadata: { name: string } }[] };
    const services = items.filter(({ kind }) => kind.endsWith('Service')).map(({ metadata }) => metadata.name);
    expect(services).toEqual(expect.arrayContaining(['ebb-external-metrics', 'v1beta1.external.metrics.k8s.io']));
    expect((await ebb('operator', '--help')).out).toContain('--external-metrics');
  });
});
