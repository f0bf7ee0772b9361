import { formatMilli, type ReplicaStatus, type TriggerStatus, type WorkloadStatus } from '@ebb/documents';
import type { Colors } from '../text/colors.ts';
import {
  bytesText,
  ageText,
  countText,
  durationText,
  microsecondsText,
  moneyText,
  onTimeText,
  savedPercent,
} from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { padEnd, textWidth, truncate, withoutControls, wrap } from '../text/width.ts';
import { coldStartText } from './coldStartText.ts';
import { sparkline } from './sparkline.ts';

export interface WorkloadCurves {
  replicas: readonly number[];
  demand: readonly number[];
}

export type PanelDetail = 'full' | 'short' | 'row';

export interface PanelStyle {
  width: number;
  colors: Colors;
  glyphs: Glyphs;
}

const labelWidth = 12;
const mostTriggers = 4;

/** Whether anything of it runs, starts, waits or fails. */
export function isBusy(status: WorkloadStatus): boolean {
  const { wanted, ready, starting, draining, failed } = status.replicas;
  return wanted + ready + starting + draining + failed + status.inFlight + status.held > 0;
}

/** Whether nothing has happened to it yet: its name and bounds say all there is. */
export function isUntouched(status: WorkloadStatus): boolean {
  const isFollowing = status.scaledBy !== null;
  return !isBusy(status) && !isFollowing && status.requests.total === 0 && status.coldStarts.count === 0;
}

/** One workload as lines of at most `style.width` columns. `nameWidth` aligns the heads of several panels. */
export function workloadPanel(
  status: WorkloadStatus,
  curves: WorkloadCurves,
  nowMs: number,
  detail: PanelDetail,
  nameWidth: number,
  style: PanelStyle,
): string[] {
  const lines = [head(status, nameWidth, detail, style)];
  if (detail === 'row') return lines;
  const triggers = status.scaledBy?.triggers ?? [];
  for (const [index, trigger] of triggers.slice(0, detail === 'full' ? mostTriggers : 1).entries()) {
    lines.push(field(index === 0 ? 'triggers' : '', triggerText(trigger, style), style));
  }
  lines.push(field('requests', requestsText(status, style), style), ...idleCostLine(status, style));
  if (detail === 'full') {
    if (curves.replicas.length > 0) lines.push(field('last 60 s', curvesText(curves, style), style));
    lines.push(...costLines(status, style), ...sizedLines(status, style), ...hintLines(status, style));
    const start = startText(status, style);
    if (start !== null) lines.push(field('cold start', start, style));
  }
  return [...lines, ...decisionLines(status, nowMs, detail === 'full' ? 2 : 1, style)];
}

/** `orders (rabbitmq)  42 for 5 a replica, active`, or why it has no value. */
export function triggerText(
  { name, type, state, value, target, active, message }: TriggerStatus,
  { colors }: PanelStyle,
): string {
  const title = name === type || name.endsWith(`-${type}`) ? type : `${name} (${type})`;
  if (state === 'unread') return `${title}   ${colors.dim('not read yet')}`;
  if (value === null) return `${title}   ${colors.red(withoutControls(message))}`;
  const aim = target === null ? '' : colors.dim(` for ${target} each`);
  return `${title}   ${value}${aim}   ${active ? colors.green('active') : colors.dim('not active')}`;
}

export function field(label: string, text: string, { width, colors, glyphs }: PanelStyle): string {
  return truncate(`  ${colors.dim(padEnd(label, labelWidth))}${text}`, width, glyphs.cut);
}

function head(status: WorkloadStatus, nameWidth: number, detail: PanelDetail, style: PanelStyle): string {
  const { colors, glyphs, width } = style;
  const { wanted, ready, starting, draining, failed } = status.replicas;
  const sign =
    failed > 0
      ? colors.red(glyphs.dot)
      : ready > 0
        ? colors.green(glyphs.dot)
        : starting > 0
          ? colors.yellow(glyphs.dot)
          : colors.dim(glyphs.hollow);
  const count = (value: number, word: string, paint: (text: string) => string) =>
    value > 0 ? paint(`${value} ${word}`) : colors.dim(`0 ${word}`);
  const counts = [
    count(ready, 'ready', colors.green),
    count(starting, 'starting', colors.yellow),
    count(draining, 'draining', colors.blue),
    ...(failed > 0 ? [colors.red(`${failed} failed`)] : []),
  ].join('  ');
  if (isUntouched(status)) {
    const bounds = `${status.minReplicas} to ${status.maxReplicas} replicas, no request yet`;
    return truncate(`${sign} ${colors.bold(padEnd(status.name, nameWidth))}  ${colors.dim(bounds)}`, width, glyphs.cut);
  }
  const name = colors.bold(padEnd(status.name, nameWidth));
  const bounds = colors.dim(`of ${status.minReplicas}-${status.maxReplicas}`);
  let line = `${sign} ${name}  ${colors.bold(`wanted ${wanted}`)} ${bounds}   ${counts}`;
  if (detail === 'row' && isBusy(status)) line += `   ${status.inFlight} in flight  ${status.held} held`;
  return truncate(line, width, glyphs.cut);
}

function requestsText(status: WorkloadStatus, { colors, width }: PanelStyle): string {
  const { succeeded, failed, refused, cancelled } = status.requests;
  const held =
    status.held === 0
      ? '0 held'
      : colors.yellow(
          `${status.held} held${status.oldestHeldMs === null ? '' : ` for up to ${durationText(status.oldestHeldMs)}`}`,
        );
  const parts = [`${status.inFlight} in flight`, held, `${succeeded} answered`];
  parts.push(failed > 0 ? colors.red(`${failed} failed`) : '0 failed');
  if (refused > 0) parts.push(colors.yellow(`${refused} refused`));
  if (cancelled > 0) parts.push(`${cancelled} given up by the caller`);
  const share = onTimeText(status.onTime);
  // It comes last and only where there is room: counts are not cut for it.
  const text = [...parts, ...(share === null ? [] : [`${share} on time`])].join('   ');
  return 2 + labelWidth + textWidth(text) <= width ? text : parts.join('   ');
}

function curvesText(curves: WorkloadCurves, { width, colors, glyphs }: PanelStyle): string {
  const mostReplicas = Math.max(0, ...curves.replicas);
  const mostDemand = Math.max(0, ...curves.demand);
  const labels = [`replicas `, ` max ${mostReplicas}   `, `demand `, ` max ${mostDemand}`];
  const taken = labels.reduce((total, label) => total + label.length, 2 + labelWidth);
  const columns = Math.min(60, Math.floor((width - taken) / 2));
  const curve = (values: readonly number[], max: number) => sparkline(values, columns, max, glyphs.levels);
  return (
    colors.dim('replicas ') +
    colors.green(curve(curves.replicas, mostReplicas)) +
    colors.dim(labels[1] ?? '') +
    colors.dim('demand ') +
    colors.cyan(curve(curves.demand, mostDemand)) +
    colors.dim(labels[3] ?? '')
  );
}

function costLines(status: WorkloadStatus, style: PanelStyle): string[] {
  const { cost } = status;
  const soFar = BigInt(cost.soFarMicro);
  const alwaysOn = BigInt(cost.alwaysOnMicro);
  const saved = savedPercent(soFar, alwaysOn);
  const text =
    `${moneyText(cost.ratePerHourMicro, cost.currency)}/h now, ${moneyText(soFar, cost.currency)} so far` +
    (saved === null ? '' : `; always on ${moneyText(alwaysOn, cost.currency)}, ${saved}% saved`);
  const assumption = withoutControls(cost.assumption);
  const room = style.width - 2 - labelWidth - textWidth(text) - 3;
  if (assumption === '') return [field('cost', text, style)];
  if (textWidth(assumption) + 2 <= room) {
    return [field('cost', `${text}   ${style.colors.dim(`(${assumption})`)}`, style)];
  }
  const lines = wrap(assumption, Math.max(20, style.width - 2 - labelWidth), 2, style.glyphs.cut);
  return [field('cost', text, style), ...lines.map((line) => field('', style.colors.dim(line), style))];
}

/** What replicas ask for since the latest roll-out, where that is not what the document says. */
function sizedLines({ sized }: WorkloadStatus, style: PanelStyle): string[] {
  return Object.entries(sized ?? {}).map(([name, { requests, documentRequests }]) => {
    const text = ({ cpuMilli, memoryBytes }: typeof requests) => `${formatMilli(cpuMilli)}, ${bytesText(memoryBytes)}`;
    const written = style.colors.dim(`(document: ${text(documentRequests)})`);
    return field('sized', `${withoutControls(name)} asks for ${text(requests)} as recommended   ${written}`, style);
  });
}

/** Which class would be the cheapest; dim where there is no saying yet. */
function hintLines({ classHint }: WorkloadStatus, style: PanelStyle): string[] {
  if (!classHint) return [];
  const lines = wrap(
    withoutControls(classHint.because),
    Math.max(20, style.width - 2 - labelWidth),
    2,
    style.glyphs.cut,
  );
  return lines.map((line, index) =>
    field(index === 0 ? 'hint' : '', classHint.class === null ? style.colors.dim(line) : line, style),
  );
}

/** What it has cost without a request, where the Cluster document asks for that to be named. */
function idleCostLine({ conditions }: WorkloadStatus, style: PanelStyle): string[] {
  const alarm = conditions.find(({ type, status }) => type === 'IdleCost' && status === 'True');
  return alarm ? [field('alarm', style.colors.red(withoutControls(alarm.message)), style)] : [];
}

function newest(replicas: ReplicaStatus[]): ReplicaStatus | null {
  const starting = replicas.filter((replica) => replica.phase === 'starting' || replica.phase === 'pending');
  return starting.reduce<ReplicaStatus | null>((best, r) => (best && best.createdAt >= r.createdAt ? best : r), null);
}

function startText(status: WorkloadStatus, { colors, glyphs, width }: PanelStyle): string | null {
  const starting = newest(status.replicaList);
  if (starting) return colors.yellow(coldStartText(starting.coldStart, glyphs.arrow, glyphs.ellipsis));
  const last = status.coldStarts.last;
  if (!last) return null;
  const text = coldStartText(last, glyphs.arrow, glyphs.ellipsis);
  if (status.coldStarts.count < 2) return text;
  const count = `   last of ${status.coldStarts.count}`;
  const more = [count + expectedText(status), count].find((one) => {
    return 2 + labelWidth + textWidth(text + one) <= width;
  });
  return more === undefined ? text : text + colors.dim(more);
}

/** `, 620 ms expected`, or that of each class where there are several. */
function expectedText({ coldStarts }: WorkloadStatus): string {
  const learned = Object.entries(coldStarts.learned ?? {}).filter(([, { starts }]) => starts > 1);
  if (learned.length === 0) return '';
  const texts = learned.map(([name, { totalUs }]) => {
    return microsecondsText(totalUs) + (learned.length > 1 ? ` (${name})` : '');
  });
  return `, ${texts.join(', ')} expected`;
}

function decisionLines(status: WorkloadStatus, nowMs: number, maxLines: number, style: PanelStyle): string[] {
  const failing = status.replicaList.find((replica) => replica.phase === 'failed' || replica.phase === 'backoff');
  const lines: string[] = [];
  if (failing) lines.push(field('problem', style.colors.red(withoutControls(failing.message)), style));
  if (!status.decision) return [...lines, field('decision', style.colors.dim('none yet'), style)];
  const { decision } = status;
  const text = `${countText(decision.replicas, 'replica')}, ${ageText(nowMs - decision.at)} ago: ${withoutControls(decision.summary)}`;
  const [first = '', ...rest] = wrap(text, Math.max(20, style.width - 2 - labelWidth), maxLines, style.glyphs.cut);
  return [...lines, field('decision', first, style), ...rest.map((line) => field('', line, style))];
}
