import { afterAll, describe, expect, it } from 'vitest';
import { docsPage, folderOf } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { ebb } = commandFolder();

describe.each([
  ['kubernetes-sizing.md', 'sizing.yaml', '--sizing', 'ebb-sizing'],
  ['kubernetes-warmth.md', 'warm.yaml', '--warmth', 'ebb-warmth'],
])('docs/%s', (page, file, flag, role) => {
  const { text, files } = docsPage(page);
  const folder = folderOf(files);
  afterAll(() => folder.remove());

  it('shows a document that is right', async () => {
    expect(files.has(file)).toBe(true);
    const { code, err, out } = await ebb('validate', '-f', `${folder.path}/${file}`);
    expect({ code, said: `${out}${err}`.split('\n').filter((line) => line.includes('error')) }).toEqual({
      code: 0,
      said: [],
    });
  });

  it('names a flag that gives its rights, and images as they are', async () => {
    expect(text).toContain(`ebb kubernetes manifests ${flag} |`);
    const { out } = await ebb('kubernetes', 'manifests', flag, '--no-kinds', '--json');
    const { items } = JSON.parse(out) as { items: { kind: string; metadata: { name: string } }[] };
    const kinds = items.filter(({ metadata }) => metadata.name === role).map(({ kind }) => kind);
    expect(kinds).toEqual(['ClusterRole', 'ClusterRoleBinding']);
    const images = [...text.matchAll(/`((?:registry\.k8s\.io|docker\.io)\/\S+)`/g)].map(([, image]) => image);
    for (const image of images) expect(out).toContain(`"${image}"`);
    expect(images).toHaveLength(flag === '--warmth' ? 2 : 0);
  });
});
