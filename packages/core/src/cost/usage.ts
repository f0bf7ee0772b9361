/** What was seen of a workload in one hour (UTC). */
export interface UsageHour {
  workload: string;
  /** When the hour begins. */
  hourMs: number;
  requests: number;
  /** By class: replica time that was watched, and the part of it with something in flight. */
  classes: Record<string, { seenMs: number; busyMs: number }>;
}
