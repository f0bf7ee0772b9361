export type Log = (level: 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>) => void;

/** One JSON object a line on standard output. */
export const logToStdout: Log = (level, message, data) => {
  process.stdout.write(
    `${JSON.stringify({ at: new Date().toISOString(), level, process: 'gateway', message, ...data })}\n`,
  );
};
