import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { joinModules } from './joinModules.ts';

const pageFile = (name: string) => new URL(`../page/${name}`, import.meta.url);
const moduleFile = (name: string) => new URL(`./page/${name}.js`, import.meta.url);

/** The page's modules, each after those it imports. */
const moduleOrder = [
  'dom',
  'format',
  'api',
  'model',
  'chart',
  'coldStart',
  'replicaTiles',
  'tryBox',
  'workloadCard',
  'main',
];

export interface Page {
  /** One document with its style, script and pictures inside: nothing else is ever fetched for it. */
  html: string;
  /** Value of the Content-Security-Policy header that lets exactly this script and this style run. */
  contentSecurityPolicy: string;
}

/** Puts the live page together from its parts. Call once and keep the result. */
export function assemblePage(): Page {
  const style = readFileSync(pageFile('style.css'), 'utf8');
  const sample = readFileSync(pageFile('sample.jpg')).toString('base64');
  const script = joinModules(moduleOrder.map((name) => ({ name, text: readFileSync(moduleFile(name), 'utf8') })));
  const html = readFileSync(pageFile('index.html'), 'utf8')
    .replace('/* style */', () => style)
    .replace('/* script */', () => script)
    .replace('SAMPLE_PICTURE', () => `data:image/jpeg;base64,${sample}`);
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return {
    html,
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src ${hash(script)}`,
      `style-src ${hash(style)}`,
      "img-src 'self' blob: data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}
