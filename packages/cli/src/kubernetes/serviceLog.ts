import type { Log } from '@ebb/controller';
import type { EbbContext } from '../context.ts';

/** A line of JSON for each entry, as collectors of logs in a cluster read them. */
export function serviceLog(context: EbbContext): Log {
  return (level, message, data) => {
    if (level !== 'debug') context.note(JSON.stringify({ at: new Date().toISOString(), level, message, ...data }));
  };
}
