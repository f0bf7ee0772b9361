/** Why a pod, or a template, is left as it is for now: said after `2 pods: ` or `the template: `. */
export const heldReasons = {
  fits: 'as it should be',
  'not-running': 'not running yet',
  resizing: 'being changed by the node',
  deferred: 'waiting for room on the node, which tries again by itself',
  infeasible: 'asking for more than the node can ever give, changed with the next roll-out',
  refused: 'not to be changed, as the API server says, but with the next roll-out',
  share: 'waiting for others, as only a part is changed at once',
  recently: 'changed a moment ago',
  'best-effort': 'without any request, of which the first cannot be given in place, changed with the next roll-out',
  'pod-level': 'with resources of the pod as a whole, which are left alone',
  restarts: 'restarted by a change (resizePolicy RestartContainer), changed with the next roll-out',
  runs: 'changed once there are no replicas, as that would restart them',
  'no-template': 'of a kind whose templates are not known here',
} as const satisfies Record<string, string>;

export type HeldCode = keyof typeof heldReasons;

/** Codes in the order in which they are told. */
const heldCodes = Object.keys(heldReasons) as HeldCode[];

/** `3 pods: being changed by the node`, a part for each code but `fits`. */
export function heldText(held: readonly { readonly code: HeldCode }[]): string {
  const parts = heldCodes.flatMap((code) => {
    const count = held.filter((one) => one.code === code).length;
    if (count === 0 || code === 'fits') return [];
    return [`${count === 1 ? '1 pod' : `${count} pods`}: ${heldReasons[code]}`];
  });
  return parts.join('; ');
}
