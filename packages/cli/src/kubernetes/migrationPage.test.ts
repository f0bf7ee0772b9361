import { describe, expect, it } from 'vitest';
import { docsPage } from '../docsPage.fixture.ts';
import { commandFolder } from '../runMain.fixture.ts';

const { text } = docsPage('kubernetes-migration.md');
const { ebb } = commandFolder();

describe('docs/kubernetes-migration.md', () => {
  it.each([
    ['ebb kubernetes install --advice', ['kubernetes', 'install'], '--advice'],
    ['ebb kubernetes upgrade --take-over', ['kubernetes', 'upgrade'], '--take-over'],
    ['ebb kubernetes upgrade --no-advice', ['kubernetes', 'upgrade'], '--no-advice'],
    ['ebb kubernetes manifests --advice', ['kubernetes', 'manifests'], '--advice'],
    ['ebb operator --advice', ['operator'], '--advice'],
  ])('walks by commands that are there: %s', async (shown, command, flag) => {
    expect(text).toContain(shown);
    expect((await ebb(...command, '--help')).out).toContain(flag);
  });

  it('has the operator that it installs advise, with the rights of that alone', async () => {
    const { out } = await ebb('kubernetes', 'manifests', '--advice', '--no-kinds');
    expect(out).toMatch(/name: EBB_ADVICE\n +value: "true"/);
    expect(out).not.toMatch(/- deployments\/scale|ebb-gateway/);
    const { out: full } = await ebb('kubernetes', 'manifests', '--advice', '--take-over', '--no-kinds');
    expect(full).toContain('- deployments/scale');
  });

  it.each([...text.matchAll(/\]\(([\w/-]+\.md)#([\w-]+)\)/g)].map(([, page = '', heading = '']) => [page, heading]))(
    'leads to a heading that is there: %s#%s',
    (page, heading) => {
      const headings = [...docsPage(page).text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
      expect(headings).toContain(heading);
    },
  );
});
