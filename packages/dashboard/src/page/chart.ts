import type { Sample } from './model.ts';
import { longestHistoryMs } from './model.ts';

interface Scale {
  x: (at: number) => number;
  y: (value: number) => number;
}

const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Draws the last minutes of one workload: replicas ready (filled steps), starting on top of them, wanted (line)
 * and demand (requests in flight and held).
 */
export function drawChart(canvas: HTMLCanvasElement, samples: Sample[], now: number): void {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (width === 0 || height === 0) return;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);

  // A young page shows a minute, so that its first seconds are not a hair at the edge.
  const ageMs = now - (samples[0]?.at ?? now);
  const historyMs = Math.min(longestHistoryMs, Math.max(shortestHistoryMs, Math.ceil(ageMs / 60_000) * 60_000));
  const visible = samples.filter(
    (sample, index) => sample.at >= now - historyMs || (samples[index + 1]?.at ?? now) >= now - historyMs,
  );
  const replicasMost = Math.max(2, ...visible.map((sample) => Math.max(sample.wanted, sample.ready + sample.starting)));
  const demandMost = Math.max(2, ...visible.map((sample) => sample.demand));
  const left = 26;
  const right = width - 26;
  const top = 8;
  const bottom = height - 18;
  const x = (at: number) => left + ((at - (now - historyMs)) / historyMs) * (right - left);
  const scaleTo = (most: number): Scale => ({ x, y: (value) => bottom - (value / (most * 1.1)) * (bottom - top) });
  const replicas = scaleTo(replicasMost);
  const demand = scaleTo(demandMost);

  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
  fillSteps(context, visible, now, replicas, (sample) => sample.ready + sample.starting, color('--starting-soft'));
  // What is ready is cut out of what is ready or starting, so that the two shades do not mix.
  context.globalCompositeOperation = 'destination-out';
  fillSteps(context, visible, now, replicas, (sample) => sample.ready, '#000');
  context.globalCompositeOperation = 'source-over';
  fillSteps(context, visible, now, replicas, (sample) => sample.ready, color('--ready-soft'));
  context.restore();
  drawGrid(context, { historyMs, left, right, top, bottom, replicas, replicasMost, demand, demandMost, now });
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
  strokeSteps(context, visible, now, replicas, (sample) => sample.wanted, color('--wanted'), 1.5, [4, 3]);
  strokeSteps(context, visible, now, replicas, (sample) => sample.ready, color('--ready'), 2, []);
  strokeSteps(context, visible, now, demand, (sample) => sample.demand, color('--demand'), 1.5, []);
  context.restore();
}

const shortestHistoryMs = 60_000;

interface Grid {
  historyMs: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
  replicas: Scale;
  replicasMost: number;
  demand: Scale;
  demandMost: number;
  now: number;
}

function drawGrid(context: CanvasRenderingContext2D, grid: Grid): void {
  context.strokeStyle = color('--line');
  context.fillStyle = color('--quiet');
  context.font = '11px system-ui, sans-serif';
  context.lineWidth = 1;
  context.textBaseline = 'middle';
  for (const value of ticks(grid.replicasMost)) {
    const y = Math.round(grid.replicas.y(value)) + 0.5;
    context.beginPath();
    context.moveTo(grid.left, y);
    context.lineTo(grid.right, y);
    context.stroke();
    context.textAlign = 'right';
    context.fillText(String(value), grid.left - 6, y);
  }
  context.textAlign = 'left';
  context.fillStyle = color('--demand');
  for (const value of ticks(grid.demandMost))
    if (value > 0) context.fillText(String(value), grid.right + 6, grid.demand.y(value));
  context.fillStyle = color('--quiet');
  context.textAlign = 'center';
  const stepMs = grid.historyMs / 3;
  for (let ago = 0; ago <= grid.historyMs; ago += stepMs) {
    const label = ago === 0 ? 'now' : `−${ago / 1000} s`;
    context.textAlign = ago === 0 ? 'right' : ago === grid.historyMs ? 'left' : 'center';
    context.fillText(label, grid.replicas.x(grid.now - ago), grid.bottom + 11);
  }
}

/** 0, the top, and one or two between, whole numbers only. */
function ticks(most: number): number[] {
  const step = Math.max(1, Math.ceil(most / 3));
  const found: number[] = [];
  for (let value = 0; value <= most; value += step) found.push(value);
  return found;
}

function stepPath(
  context: CanvasRenderingContext2D,
  samples: Sample[],
  now: number,
  scale: Scale,
  pick: (sample: Sample) => number,
): void {
  let last: number | null = null;
  for (const sample of samples) {
    const x = scale.x(sample.at);
    const y = scale.y(pick(sample));
    if (last === null) context.moveTo(x, y);
    else context.lineTo(x, last);
    context.lineTo(x, y);
    last = y;
  }
  if (last !== null) context.lineTo(scale.x(now), last);
}

function strokeSteps(
  context: CanvasRenderingContext2D,
  samples: Sample[],
  now: number,
  scale: Scale,
  pick: (sample: Sample) => number,
  style: string,
  lineWidth: number,
  dash: number[],
): void {
  context.beginPath();
  stepPath(context, samples, now, scale, pick);
  context.strokeStyle = style;
  context.lineWidth = lineWidth;
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

function fillSteps(
  context: CanvasRenderingContext2D,
  samples: Sample[],
  now: number,
  scale: Scale,
  pick: (sample: Sample) => number,
  style: string,
): void {
  const first = samples[0];
  if (!first) return;
  context.beginPath();
  stepPath(context, samples, now, scale, pick);
  context.lineTo(scale.x(now), scale.y(0));
  context.lineTo(scale.x(first.at), scale.y(0));
  context.closePath();
  context.fillStyle = style;
  context.fill();
}
