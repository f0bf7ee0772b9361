import { withoutLogin } from './prometheus.ts';

/** The command line that gives the same figures, for a report: without what says only how to tell them, and without a login. */
export function commandLine(command: string, flags: object, notRepeated: ReadonlySet<string>): string {
  const words = [command];
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || value === false || notRepeated.has(name)) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const values: unknown[] = Array.isArray(value) ? value : [value];
    for (const one of values) {
      const text = name === 'prometheus' ? withoutLogin(String(one)) : String(one);
      words.push(...(one === true ? [flag] : [flag, quoted(text)]));
    }
  }
  return words.join(' ');
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w./:,@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
