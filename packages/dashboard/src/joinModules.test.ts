import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { joinModules } from './joinModules.ts';

const dist = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** The page as the control plane serves it: assembled from what was built. */
function builtPage(): { html: string; contentSecurityPolicy: string } {
  const code = `const { assemblePage } = await import(${JSON.stringify(dist)}); process.stdout.write(JSON.stringify(assemblePage()))`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(output.toString()) as { html: string; contentSecurityPolicy: string };
}

describe('the page', () => {
  const { html, contentSecurityPolicy } = builtPage();
  const script = /<script type="module">([\s\S]*)<\/script>/.exec(html)?.[1] ?? '';

  it('is one document that fetches nothing from elsewhere', () => {
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    expect(html).not.toContain('SAMPLE_PICTURE');
    expect(contentSecurityPolicy).toMatch(/default-src 'none'.*script-src 'sha256-/);
  });

  it('has one script without imports in which no name is declared twice', () => {
    expect(script.length).toBeGreaterThan(5000);
    expect(script).not.toMatch(/^(import|export) /m);
    expect(() => new Script(`(async () => {${script}\n})`)).not.toThrow();
    const names = [...script.matchAll(/^(?:async )?(?:function|class|const|let)\s*\*?\s*(\w+)/gm)].map(
      (match) => match[1],
    );
    expect(names.length).toBe(new Set(names).size);
  });
});

describe('joining', () => {
  it('refuses a module that stands before what it imports', () => {
    const modules = [{ name: 'a', text: "import { b } from './b.js';\n" }];
    expect(() => joinModules(modules)).toThrow('page module "a" imports "b"');
  });
});
