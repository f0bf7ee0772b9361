/**
 * Joins compiled modules into one script, so that the page is a single file without a bundler. The modules share
 * one scope afterwards; a name declared twice makes the script fail to parse, which a test looks at.
 * Throws when a module imports one that does not stand before it.
 */
export function joinModules(modules: { name: string; text: string }[]): string {
  const seen = new Set<string>();
  return modules
    .map(({ name, text }) => {
      const body = text.replace(/^import\s[^;]*?from\s+'([^']+)';\n?/gm, (_line, from: string) => {
        const imported = from.replace(/^\.\//, '').replace(/\.js$/, '');
        if (!seen.has(imported))
          throw new Error(`page module "${name}" imports "${imported}", which does not stand before it`);
        return '';
      });
      seen.add(name);
      return body
        .replace(/^export (?=(async )?(function|const|let|class)\b)/gm, '')
        .replace(/^export \{[^}]*\};\n?/gm, '');
    })
    .join('\n');
}
