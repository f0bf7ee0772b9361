import { isStatus } from './client.ts';

/** What an object asks for cannot be done as things stand: it is told in a condition, and looked at again after a while. */
export class UnmetError extends Error {
  /** Reason of the condition. */
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What people have to change is not changed within the second. */
export const unmetWaitMs = 30_000;

/** What was asked for; where the server has refused it for want of a right, an error that says how to give it. */
export async function permitted<Value>(asked: Promise<Value>, remedy: string): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    if (!isStatus(error, 403)) throw error;
    throw new UnmetError('MissingPermission', `${error.message}; ${remedy}`);
  }
}

/** How the right to read a Secret or ConfigMap of a namespace is given. */
export function readNamespaceRemedy(namespace: string): string {
  return `to give it that right, install Ebb with --read-namespace ${namespace} (readNamespaces of the chart)`;
}

/** How the right to scale a kind is given, such as `rollouts` of `argoproj.io`. */
export function scaleKindRemedy({ group, plural }: { group: string; plural: string }): string {
  if (group === 'apps' || group === 'ebb.dev') {
    return 'to give it that right, apply the manifests of this version; one that was installed to advise takes --take-over';
  }
  const kind = `${group}/${plural}`;
  return `to give it that right, install Ebb with --scale-kind ${kind} (scaleKinds of the chart)`;
}
