import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Reason } from './reasons.ts';
import { reasonTable } from './reasonTable.ts';
import { decisionSummary, reasonSentence } from './sentences.ts';

const sourceFolder = fileURLToPath(new URL('..', import.meta.url));

/** Every text that stands as a reason's code in the sources of core. */
function codesInSources(): Set<string> {
  const found = new Set<string>();
  for (const path of readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })) {
    if (
      !path.endsWith('.ts') ||
      path.endsWith('.test.ts') ||
      path.includes('reasonTable') ||
      /^(dispatch|nodes|ports|formula|sizing)|documentProblems/.test(path)
    )
      continue;
    const text = readFileSync(`${sourceFolder}/${path}`, 'utf8');
    // `code: 'a'`, `code: down ? 'a' : 'b'`, `const code = … ? 'a' : 'b'` and `reason('a', …)`.
    for (const match of text.matchAll(
      /(?:\bcode(?::| =)[^,;]*?|\b(?:reason|nothing)\()'([a-z-]+)'(?:\s*:\s*'([a-z-]+)')?/g,
    )) {
      for (const code of match.slice(1)) if (code) found.add(code);
    }
  }
  return found;
}

describe('reason codes', () => {
  it('each have a sentence, and each sentence a code in use', () => {
    expect([...codesInSources()].sort()).toEqual(Object.keys(reasonTable).sort());
  });

  it('are worded with their numbers', () => {
    const data = { demand: 1 };
    expect(reasonSentence({ code: 'gate-opens', stage: 'gate', data })).toBe('Woken from zero by 1 request.');
    expect(reasonSentence({ code: 'from-tomorrow', stage: 'gate', data })).toBe('from-tomorrow {"demand":1}');
  });
});

describe('the summary', () => {
  it('is the weightiest reason, the later one of equals', () => {
    const reasons: Reason[] = [
      { code: 'gate-open', stage: 'gate', data: { demand: 9 } },
      { code: 'capped-at-max', stage: 'bounds', data: { wanted: 9, maxReplicas: 3 } },
    ];
    expect(decisionSummary({ reasons })).toBe('9 replicas wanted; the maximum is 3.');
    expect(decisionSummary({ reasons: [] })).toBe('Nothing asks for a replica.');
  });
});
