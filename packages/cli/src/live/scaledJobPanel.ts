import type { ScaledJobStatus } from '@ebb/documents';
import { padEnd, truncate, withoutControls } from '../text/width.ts';
import { field, type PanelStyle, triggerText } from './workloadPanel.ts';

/** One ScaledJob as lines of at most `style.width` columns. `nameWidth` aligns it with the panels of workloads. */
export function scaledJobPanel(status: ScaledJobStatus, nameWidth: number, style: PanelStyle): string[] {
  const { colors, glyphs, width } = style;
  const { running, waiting, succeeded, failed } = status.jobs;
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  const isBroken = ready?.status === 'False';
  const isBusy = running + waiting > 0;
  const sign = isBroken ? colors.red(glyphs.dot) : isBusy ? colors.green(glyphs.dot) : colors.dim(glyphs.hollow);
  const counts = [
    running > 0 ? colors.green(`${running} running`) : colors.dim('0 running'),
    ...(waiting > 0 ? [colors.yellow(`${waiting} waiting`)] : []),
    `${succeeded} done`,
    ...(failed > 0 ? [colors.red(`${failed} failed`)] : []),
  ].join('  ');
  const name = colors.bold(padEnd(status.name, nameWidth));
  const bounds = colors.dim(`Jobs, at most ${status.maxReplicas}`);
  const lines = [truncate(`${sign} ${name}  ${bounds}   ${counts}`, width, glyphs.cut)];
  for (const [index, trigger] of status.triggers.slice(0, 4).entries()) {
    lines.push(field(index === 0 ? 'triggers' : '', triggerText(trigger, style), style));
  }
  if (isBroken && ready) lines.push(field('problem', colors.red(withoutControls(ready.message)), style));
  if (status.summary !== '') lines.push(field('decision', withoutControls(status.summary), style));
  return lines;
}
