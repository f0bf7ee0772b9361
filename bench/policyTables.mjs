// Tables of bench/policy.mjs, as Markdown.

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const two = (value) => value.toFixed(2);
const cell = (row) => (row ? `${two(row.pricedScore)} (${(100 * row.onTimeShare).toFixed(1)})` : '–');
const titles = {
  development: 'Traces that the policy was made with',
  check: 'Other parts of the same records, on which nothing was tuned',
};

/** For each set and cold start a table, the trace first on which the policy is worst beside the best fixed one. */
export function policyTables(rows) {
  const lines = [];
  for (const set of ['development', 'check']) {
    const ofSet = rows.filter((row) => row.set === set);
    if (ofSet.length === 0) continue;
    lines.push(`### ${titles[set]}`, '');
    for (const cold of [60, 30, 180])
      lines.push(
        ...tableOf(
          ofSet.filter((row) => row.cold === cold),
          cold,
        ),
      );
  }
  return lines;
}

function tableOf(rows, cold) {
  const traces = [...new Set(rows.map(({ trace }) => trace))];
  const fixed = [...new Set(rows.map(({ policy }) => policy))].filter((policy) => !policy.startsWith('priced'));
  if (traces.length === 0) return [];
  const of = (trace, policy) => rows.find((row) => row.trace === trace && row.policy === policy);
  const bestOf = (trace) =>
    Math.min(...fixed.map((policy) => of(trace, policy)?.pricedScore ?? Number.POSITIVE_INFINITY));
  const complete = traces.filter((trace) => of(trace, 'priced'));
  const worstFirst = complete
    .map((trace) => ({ trace, share: of(trace, 'priced').pricedScore / bestOf(trace) }))
    .sort((left, right) => right.share - left.share);
  const lines = [
    `Cold start ${cold} s: priced score (per cent on time).`,
    '',
    `| trace | priced | of the best fixed | ${fixed.join(' | ')} |`,
    `| --- | --- | --- | ${fixed.map(() => '---').join(' | ')} |`,
  ];
  for (const { trace, share } of worstFirst) {
    const cells = fixed.map((policy) => cell(of(trace, policy)));
    lines.push(`| ${trace} | **${cell(of(trace, 'priced'))}** | ${two(share)} | ${cells.join(' | ')} |`);
  }
  const mean = (policy) => {
    const scores = complete.map((trace) => of(trace, policy)?.pricedScore);
    return scores.every((score) => score > 0) ? geometricMean(scores) : null;
  };
  const own = mean('priced');
  const means = fixed.map(mean);
  const best = Math.min(...means.filter((value) => value !== null));
  const meanCells = means.map((value) => (value === null ? '–' : two(value)));
  lines.push(
    `| **geometric mean (${complete.length})** | **${two(own)}** | ${two(own / best)} | ${meanCells.join(' | ')} |`,
    '',
  );
  return lines;
}

/** What the geometric mean becomes without a part, and which traces move most. */
export function ablationTable(rows, ablations) {
  const ofSet = rows.filter(({ set, cold }) => set === 'development' && cold === 60);
  const scores = (policy) =>
    new Map(ofSet.filter((row) => row.policy === policy).map((row) => [row.trace, row.pricedScore]));
  const full = scores('priced');
  const ablatedTraces = new Set(ofSet.filter(({ policy }) => policy.startsWith('priced:')).map(({ trace }) => trace));
  const isAblated = (trace) => ablatedTraces.has(trace);
  const lines = [
    '### What each part is worth',
    '',
    `Cold start 60 s, ${ablatedTraces.size} traces.`,
    '',
    '| without | mean | what moves |',
    '| --- | --- | --- |',
  ];
  let found = 0;
  for (const [what, policy] of [['(nothing: the whole policy)', 'priced'], ...ablations]) {
    const own = scores(policy);
    const traces = [...full.keys()].filter((trace) => own.has(trace) && isAblated(trace));
    if (traces.length === 0 || traces.length < [...full.keys()].filter(isAblated).length) continue;
    found++;
    const moved = traces
      .map((trace) => ({ trace, change: own.get(trace) / full.get(trace) }))
      .filter(({ change }) => Math.abs(Math.log(change)) > 0.03)
      .sort((left, right) => Math.abs(Math.log(right.change)) - Math.abs(Math.log(left.change)))
      .slice(0, 4)
      .map(({ trace, change }) => `${trace.replace(/-(w1|a|2023|2019-a|2021-08-a)$/, '')} × ${two(change)}`);
    const mean = geometricMean(traces.map((trace) => own.get(trace)));
    lines.push(`| ${what} | ${mean.toFixed(3)} | ${moved.join(', ') || '–'} |`);
  }
  return found > 1 ? [...lines, ''] : [];
}
