import { parseDocuments, resolveScaledObject, yamlValues } from '@ebb/documents';
import { afterAll, describe, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { text, files } = docsPage('kubernetes-gateway.md');
const folder = folderOf(files);
afterAll(() => folder.remove());
const { ebb } = commandFolder();

describe('docs/kubernetes-gateway.md', () => {
  it('shows a Service for both modes, and a ScaledObject that lets the gateways leave the path', () => {
    const [service, scaledObject] = yamlValues(files.get('llm.yaml') ?? '');
    expect(service).toMatchObject({
      kind: 'Service',
      metadata: { labels: { 'ebb.dev/gateway': 'serve' } },
      spec: { ports: [{ port: 80 }] },
    });
    expect(service).not.toHaveProperty('spec.selector');
    // Each annotation of the example is explained.
    const { annotations } = (service as { metadata: { annotations: Record<string, string> } }).metadata;
    for (const name of Object.keys(annotations)) expect(text).toContain(`| \`${name}\` |`);
    const { triggers } = resolveScaledObject(scaledObject as Parameters<typeof resolveScaledObject>[0]);
    expect(triggers.map(({ type }) => type)).toEqual(['http', 'prometheus']);
  });

  it('shows documents without a problem, those of other projects aside', () => {
    const yaml = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
    expect(yaml.length).toBeGreaterThan(4);
    for (const block of yaml) {
      const { problems } = parseDocuments(block, { file: 'page.yaml' });
      expect(problems.filter(({ severity, code }) => severity === 'error' && code !== 'foreign-kind')).toEqual([]);
    }
  });

  it('names what switches it on, and the rights that come with it', async () => {
    expect(text).toContain('ebb kubernetes manifests --serve-services |');
    const { out } = await ebb('kubernetes', 'manifests', '--serve-services', '--no-kinds', '--json');
    const { items } = JSON.parse(out) as { items: { kind: string; metadata: { name: string }; spec?: object }[] };
    expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toContain('ClusterRole ebb-serve-services');
    const deployment = items.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'ebb');
    expect(deployment?.spec).toMatchObject({
      template: {
        spec: { containers: [{ env: expect.arrayContaining([{ name: 'EBB_SERVE_SERVICES', value: 'true' }]) }] },
      },
    });
    expect((await ebb('operator', '--help')).out).toContain('--serve-services');
  });
});
