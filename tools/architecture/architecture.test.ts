import { createRequire } from 'node:module';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const { mayImport, rulesFor } = require('./rules.cjs') as {
  mayImport: Record<string, string[]>;
  rulesFor: (base: string) => NonNullable<NonNullable<Parameters<typeof cruise>[1]>['ruleSet']>['forbidden'];
};
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Cruise {
  modules: number;
  /** `from -> to` of every import between packages, as the tool resolved it. */
  edges: string[];
  violations: string[];
}

async function cruiseOf(base: string): Promise<Cruise> {
  const result = await cruise([base], {
    baseDir: root,
    ruleSet: { forbidden: rulesFor(base) ?? [] },
    validate: true,
    // Imports by package name resolve to what was built: a leaf, but an edge that the rules must see.
    doNotFollow: { path: 'node_modules|(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'default'],
      extensions: ['.ts', '.js'],
    },
  });
  const { modules, summary } = result.output as ICruiseResult;
  return {
    modules: modules.filter((module) => /src\/.*\.ts$/.test(module.source)).length,
    edges: modules.flatMap((module) =>
      module.dependencies.map((dependency) => `${module.source} -> ${dependency.resolved}`),
    ),
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  };
}

describe('direction of imports', () => {
  it('holds in every package', async () => {
    const { modules, edges, violations } = await cruiseOf('packages');
    expect(modules).toBeGreaterThan(50);
    expect(edges.some((edge) => /^packages\/engine\/src\/.* -> packages\/core\//.test(edge))).toBe(true);
    expect(violations).toEqual([]);
  }, 60_000);

  it('reports the canary, so that the check cannot pass on nothing', async () => {
    const { violations } = await cruiseOf('tools/architecture/canary/packages');
    const rules = new Set(violations.map((violation) => violation.split(':')[0]));
    expect(rules).toContain('core-is-pure');
    expect(rules).toContain('core-imports-only-documents');
    expect(rules).toContain('documents-imports-only-nothing');
    expect(rules).toContain('no-tests-in-production');
  }, 60_000);

  it('knows every package', () => {
    for (const name of readdirSync(`${root}/packages`)) expect(Object.keys(mayImport)).toContain(name);
  });
});
