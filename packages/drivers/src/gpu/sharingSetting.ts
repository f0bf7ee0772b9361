import type { GpuSharing } from '@ebb/core';

/** Names the setting of this machine. */
export const sharingVariable = 'EBB_GPU_SHARING';

const forms = 'none, fraction, timeSlicing=N, mps=N (N from 2 to 48)';

/**
 * How GPUs of this machine are shared, from `EBB_GPU_SHARING`. Left out: by fractions, which gives a part to whoever asks for
 * a part. (MIG is a state of the card, and needs no setting.) Something else is a problem for a person.
 */
export function readSharing(env: NodeJS.ProcessEnv): { sharing: GpuSharing } | { problem: string } {
  const text = env[sharingVariable]?.trim() ?? '';
  if (text === '' || text === 'fraction') return { sharing: { kind: 'fraction' } };
  if (text === 'none') return { sharing: { kind: 'none' } };
  const [, method, number] = /^(timeSlicing|mps)=(\d{1,3})$/.exec(text) ?? [];
  const replicas = Number(number);
  if (!method || replicas < 2 || replicas > 48) {
    return { problem: `${sharingVariable} is "${text}"; allowed are ${forms}` };
  }
  return { sharing: { kind: method === 'mps' ? 'mps' : 'time-slicing', replicas } };
}
