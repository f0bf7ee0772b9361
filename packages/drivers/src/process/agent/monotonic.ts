/** Integer microseconds of the machine's monotonic clock: the same line in every process of one machine. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
