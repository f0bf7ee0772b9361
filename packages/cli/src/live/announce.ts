import type { WorkloadStatus } from '@ebb/documents';
import type { Colors } from '../text/colors.ts';
import { durationText } from '../text/format.ts';
import { padEnd } from '../text/width.ts';

export interface Addresses {
  /** With the owner's token in its fragment where only the owner sees it; null where there is no page. */
  pageUrl: string | null;
  gatewayUrl: string;
  dataDirectory: string;
}

const labelWidth = 11;

/** The lines above the live view: where to look, where to send, and a request to paste for each workload. */
export function announce(
  addresses: Addresses,
  workloads: WorkloadStatus[],
  requestText: (workload: WorkloadStatus) => string | null,
  colors: Colors,
): string[] {
  const line = (label: string, text: string) => `${colors.dim(padEnd(label, labelWidth))}${text}`;
  // The more telling ones, which send something, come first.
  const requests = workloads.flatMap((workload) => requestText(workload) ?? []).sort((a, b) => b.length - a.length);
  return [
    ...(addresses.pageUrl === null ? [] : [line('live page', colors.cyan(addresses.pageUrl))]),
    line('requests', `${colors.cyan(addresses.gatewayUrl)}   ${colors.dim(`data in ${addresses.dataDirectory}`)}`),
    ...requests.map((request) => line('try', request)),
  ];
}

/** `serving after 13.9 s (install 12.1 s, build 1.20 s, start 600 ms)`: since the command began. */
export function readyText(
  readyMs: number,
  startMs: number,
  launch: { installMs: number; buildMs: number } | null,
): string {
  if (launch === null) return `serving after ${durationText(startMs)}`;
  const parts = [
    ...(launch.installMs > 0 ? [`install ${durationText(launch.installMs)}`] : []),
    `build ${durationText(launch.buildMs)}`,
    `start ${durationText(startMs)}`,
  ];
  return `serving after ${durationText(readyMs)} (${parts.join(', ')})`;
}
