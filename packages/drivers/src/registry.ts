/** What a driver is, for listings and documentation. */
export interface DriverDescription {
  type: string;
  summary: string;
}

/** One line a driver, sorted. */
export const drivers: readonly DriverDescription[] = [
  {
    type: 'process',
    summary: 'Runs replicas and Jobs as processes of this machine, started and probed by the agent process.',
  },
];
