import type { Explanation } from '@ebb/client';
import { type WhatIf, whatIfSentence, whatWouldChange } from '@ebb/core';
import { decisionInputs, type ReplayStep } from '@ebb/engine';
import type { ExplainFlags } from '../commands/explain.ts';
import type { EbbContext } from '../context.ts';
import { chainOf } from '../explain/chain.ts';
import { clusterAsked, explainCluster } from '../explain/explainCluster.ts';
import { Failure } from '../failure.ts';
import { findKind } from '../kinds.ts';
import { openSession } from '../session.ts';
import { ageText, clockText } from '../text/format.ts';
import { padEnd, withoutControls, wrap } from '../text/width.ts';
import { parseMoment } from '../timeArgument.ts';
import { notFound } from './delete.ts';

export async function explain(context: EbbContext, flags: ExplainFlags, name: string): Promise<undefined> {
  const cluster = clusterAsked(name);
  if (cluster !== null) return explainCluster(context, flags, cluster);
  const nowMs = Date.now();
  const atMs = flags.at === undefined ? undefined : parseMoment(flags.at, nowMs);
  const session = await openSession(context, flags);
  const namespace = flags.namespace ?? 'default';
  const explanation = await session.client.explain(name, { namespace, ...(atMs === undefined ? {} : { atMs }) });
  if (!explanation) {
    const exists = await session.client.workloadStatus(name, { namespace });
    if (!exists) throw await notFound(session, { kind: findKind('workload'), name, namespace });
    throw new Failure('failed', `nothing was decided for ${name} by ${clockText(atMs ?? nowMs)}.`);
  }
  const inputs = explanation.decision
    ? await decisionInputs((range) => session.client.journal(range), explanation.workload, atMs ?? nowMs)
    : null;
  const changes = inputs ? whatWouldChange(inputs.spec, inputs.memoryBefore, inputs.observation) : null;
  if (flags.json) {
    const whatIf = changes?.map((change) => ({ ...change, sentence: whatIfSentence(change) })) ?? null;
    context.json({ ...explanation, observation: inputs?.observation ?? null, whatIf });
    return;
  }
  const ageWord = atMs === undefined ? 'ago' : 'before';
  context.out(...explanationLines(context, { explanation, inputs, changes, atMs: atMs ?? nowMs, ageWord }));
}

interface Told {
  explanation: Explanation;
  /** What the decision was made from; null where the journal does not have it. */
  inputs: ReplayStep | null;
  changes: WhatIf[] | null;
  atMs: number;
  ageWord: 'ago' | 'before';
}

function explanationLines(context: EbbContext, { explanation, inputs, changes, atMs, ageWord }: Told): string[] {
  const { bold, dim } = context.colors;
  const { decision, actions, workload } = explanation;
  if (decision === null) return [`nothing was decided for ${workload} by ${clockText(atMs)}`];
  const lines = chainOf(explanation, inputs);
  const width = context.stdout.isTTY ? (context.stdout.columns ?? 80) : 120;
  const stageWidth = Math.max(0, ...lines.map(({ stage }) => stage.length), ...actions.map(({ kind }) => kind.length));
  const row = (label: string, text: string) => {
    const [first = '', ...rest] = wrap(withoutControls(text), Math.max(20, width - stageWidth - 4));
    return [
      `  ${dim(padEnd(label, stageWidth))}  ${first}`,
      ...rest.map((line) => `${' '.repeat(stageWidth + 4)}${line}`),
    ];
  };
  let stageBefore = '';
  const steps = lines.flatMap(({ stage, sentence }) => {
    const label = stage === stageBefore ? '' : stage;
    stageBefore = stage;
    return row(label, sentence);
  });
  const age = ageText(Math.max(0, atMs - decision.atMs));
  const head = `${bold(workload)}  decision ${decision.sequence}, ${clockText(decision.atMs)} (${age} ${ageWord})`;
  const done = actions.flatMap((action) => row(action.kind, `${clockText(action.atMs)} ${actionText(action.body)}`));
  const other = (changes ?? []).flatMap((change) => row('', whatIfSentence(change)));
  return [
    head,
    ...steps,
    ...(done.length > 0 ? ['', dim('  what was done'), ...done] : []),
    ...(other.length > 0 ? ['', dim('  what would have changed it, all else the same'), ...other] : []),
    ...(changes === null && !workload.startsWith('scaledjob/')
      ? ['', dim('  what would have changed it is not known: the journal lacks what it was made from')]
      : []),
  ];
}

/** What was done or came of it: its type, the replica, and what else a person wants to know. The JSON has the rest. */
export function actionText(body: unknown): string {
  if (typeof body !== 'object' || body === null) return String(body);
  const fields = new Map<string, unknown>(Object.entries(body));
  const words = ['type', 'replica', 'job', 'cause'].flatMap((name) => {
    const value = fields.get(name);
    return typeof value === 'string' ? [value] : [];
  });
  const message = fields.get('message');
  const isNews = typeof message === 'string' && message !== '' && !words.includes(message);
  return words.join(' ') + (isNews ? `: ${message}` : '');
}
