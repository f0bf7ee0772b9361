const longestFileLines = 600;

interface Rule {
  says: string;
  in: RegExp;
  breaks: (path: string, text: string) => boolean;
}

const matches = (pattern: RegExp) => (_path: string, text: string) => pattern.test(text);
const code = /\.(ts|mjs|js|tsx)$/;

const rules: Rule[] = [
  {
    says: 'name says nothing',
    in: code,
    breaks: (path) => /(^|\/)(utils?|helpers?|common|misc|manager)\.[a-z]+$/i.test(path),
  },
  {
    says: `longer than ${longestFileLines} lines`,
    in: /\.ts$/,
    breaks: (_path, text) => text.split('\n').length > longestFileLines,
  },
  {
    says: 'test switched off or alone',
    in: /\.test\.ts$/,
    breaks: matches(/\b(it|test|describe)\.(only|skip|todo)\(/),
  },
  { says: 'work left in words', in: code, breaks: matches(/\b(TODO|FIXME|XXX)\b/) },
  { says: 'listens beyond loopback', in: code, breaks: matches(/listen\([^)\n]*0\.0\.0\.0/) },
  { says: 'type check switched off', in: code, breaks: matches(/@ts-(ignore|nocheck)|as any\s*[;,)\]}>]/) },
  {
    says: 'path of a machine',
    in: /\.(ts|mjs|js|md|json|ya?ml|sh)$/,
    breaks: matches(/["'\s(](\/root|\/work|\/home\/[a-z]+)\//),
  },
];

/** Breaches of the house style in one file, as `path: what`. The rules' own file is not judged by its patterns. */
export function findUntidy(path: string, text: string): string[] {
  if (path.startsWith('tools/tidy/')) return [];
  return rules.filter((rule) => rule.in.test(path) && rule.breaks(path, text)).map((rule) => `${path}: ${rule.says}`);
}
