/** The one table of exit codes: help texts, the reference page and the tests read it. */
export const exitCodes = {
  ok: { code: 0, meaning: 'done; what was asked for holds' },
  failed: { code: 1, meaning: 'failed, or not ready' },
  usage: { code: 2, meaning: 'wrong usage, or an invalid document: nothing was changed' },
  unreachable: { code: 3, meaning: 'no Ebb runs on this data folder, or it does not answer' },
  alreadyRunning: { code: 4, meaning: 'an Ebb already runs on this data folder' },
  interrupted: { code: 130, meaning: 'interrupted with Ctrl-C before it was done' },
} as const;

export type ExitName = keyof typeof exitCodes;
