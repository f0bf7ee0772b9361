import { keyText, type SystemStatus, type WorkloadStatus } from '@ebb/documents';
import { ageText, countText, moneyText } from '../text/format.ts';
import { textWidth, truncate } from '../text/width.ts';
import { scaledJobPanel } from './scaledJobPanel.ts';
import {
  isBusy,
  isUntouched,
  type PanelDetail,
  type PanelStyle,
  type WorkloadCurves,
  workloadPanel,
} from './workloadPanel.ts';

export interface LiveModel {
  status: SystemStatus;
  /** By `keyText` of the workload. */
  curves: ReadonlyMap<string, WorkloadCurves>;
  nowMs: number;
  /** The last line, such as what Ctrl-C does. */
  footer: string;
}

export interface LiveStyle extends PanelStyle {
  height: number;
}

const noCurves: WorkloadCurves = { replicas: [], demand: [] };

/**
 * The whole live view as lines: pure, at most `height` lines of at most `width` columns. Where the room is short, idle
 * workloads give up detail first, then busy ones from the last to the first, and what is left over is counted.
 */
export function renderLive(model: LiveModel, style: LiveStyle): string[] {
  const cut = (line: string) => truncate(line, style.width, style.glyphs.cut);
  const bottom = ['', style.colors.dim(cut(model.footer))];
  const top = [header(model, style), ''];
  const room = style.height - top.length - bottom.length;
  const workloads = inOrder(model.status.workloads);
  const jobs = model.status.scaledJobs ?? [];
  if (workloads.length + jobs.length === 0) {
    const hint = style.colors.dim(cut('No workloads yet: `ebb apply -f FILE` brings one.'));
    return [...top, hint, ...bottom].slice(0, Math.max(1, style.height));
  }
  const nameWidth = Math.max(...[...workloads, ...jobs].map(({ name }) => textWidth(name)));
  const jobPanels = jobs.map((one) => scaledJobPanel(one, nameWidth, style));
  const panels = fit(workloads, room - jobPanels.flat().length, (workload, detail) =>
    workloadPanel(workload, curvesOf(model, workload), model.nowMs, detail, nameWidth, style),
  );
  panels.push(...jobPanels);
  let body = separated(panels);
  if (body.length > room) body = panels.flat();
  if (body.length > room) {
    const more = `${style.glyphs.ellipsis} and more: ebb get workloads lists all`;
    body = [...body.slice(0, Math.max(0, room - 1)), style.colors.dim(cut(more))];
  }
  return [...top, ...body, ...bottom].slice(0, Math.max(1, style.height));
}

/** Those that something has happened to come first; else the order stays, so that nothing jumps. */
function inOrder(workloads: WorkloadStatus[]): WorkloadStatus[] {
  return [...workloads.filter((workload) => !isUntouched(workload)), ...workloads.filter(isUntouched)];
}

/** An empty line before and after each panel that has more than one line. */
function separated(panels: string[][]): string[] {
  return panels.flatMap((panel, index) => {
    const before = panels[index - 1];
    return before && (panel.length > 1 || before.length > 1) ? ['', ...panel] : panel;
  });
}

function curvesOf(model: LiveModel, workload: WorkloadStatus): WorkloadCurves {
  return model.curves.get(keyText(workload)) ?? noCurves;
}

function header({ status, nowMs }: LiveModel, { colors, glyphs, width }: LiveStyle): string {
  const ready = status.workloads.reduce((sum, workload) => sum + workload.replicas.ready, 0);
  const parts = [
    colors.bold(`Ebb ${status.version}`),
    `up ${ageText(nowMs - status.startedAt)}`,
    countText(status.workloads.length, 'workload'),
    `${countText(ready, 'replica')} ready`,
  ];
  const currencies = new Set(status.workloads.map((workload) => workload.cost.currency));
  const [currency] = currencies;
  if (currencies.size === 1 && currency !== undefined) {
    const rate = status.workloads.reduce((sum, workload) => sum + workload.cost.ratePerHourMicro, 0);
    parts.push(`${moneyText(rate, currency)}/h`);
  }
  if (!status.gateway.connected) parts.push(colors.red('gateway away'));
  if (!status.agent.connected) parts.push(colors.red('agent away'));
  if (status.gpus?.state === 'ok') parts.push(status.gpus.message);
  if (status.gpus?.state === 'broken') parts.push(colors.red('GPU driver does not work'));
  return truncate(parts.join(` ${colors.dim(glyphs.separator)} `), width, glyphs.cut);
}

/** Renders each at the richest detail with which all of them fit. */
function fit(
  workloads: WorkloadStatus[],
  room: number,
  render: (workload: WorkloadStatus, detail: PanelDetail) => string[],
): string[][] {
  const panels = workloads.map((workload) => render(workload, isUntouched(workload) ? 'row' : 'full'));
  const backwards = [...workloads.entries()].filter(([, workload]) => !isUntouched(workload)).reverse();
  const idle = backwards.filter(([, workload]) => !isBusy(workload));
  const busy = backwards.filter(([, workload]) => isBusy(workload));
  for (const group of [idle, busy]) {
    for (const detail of ['short', 'row'] as const) {
      for (const [index, workload] of group) {
        if (panels.flat().length <= room) return panels;
        panels[index] = render(workload, detail);
      }
    }
  }
  return panels;
}
