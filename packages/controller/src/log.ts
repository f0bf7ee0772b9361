import { pino, type Logger } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, data?: Record<string, unknown>) => void;

/** JSON lines on stderr, or in a file for the owner only. Written at once: a crash loses no line. */
export function openLog(options: { level: LogLevel; file: string | null }): Log {
  const destination = options.file === null ? 2 : { dest: options.file, mode: 0o600, mkdir: true };
  const logger: Logger = pino(
    {
      level: options.level,
      base: { process: 'control-plane' },
      timestamp: () => `,"at":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    pino.destination(
      typeof destination === 'number' ? { dest: destination, sync: true } : { ...destination, sync: true },
    ),
  );
  return (level, message, data) => logger[level](data ?? {}, message);
}
