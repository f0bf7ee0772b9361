import type { KubernetesObject } from '../client/objects.ts';

/** `"true"`: the images of the target's template are kept on every node where its pods may run. */
export const prepullAnnotation = 'ebb.dev/prepull';
/** How many pause pods keep room for one more pod of the target each. */
export const headroomAnnotation = 'ebb.dev/headroom';
/** A typing error is not to fill a cluster. */
const mostHeadroom = 1000;

export interface WarmthWanted {
  readonly prepull: boolean;
  readonly headroom: number;
  /** What is wrong with an annotation; null: nothing, or there is none. */
  readonly problem: string | null;
}

/** What objects that speak of a workload ask for: of several, the first that has an annotation counts. */
export function warmthWanted(objects: readonly Pick<KubernetesObject, 'annotations'>[]): WarmthWanted {
  const first = (name: string) => objects.find(({ annotations }) => annotations[name] !== undefined)?.annotations[name];
  const [prepull, headroom] = [first(prepullAnnotation), first(headroomAnnotation)];
  const problems: string[] = [];
  if (prepull !== undefined && prepull !== 'true' && prepull !== 'false') {
    problems.push(`${prepullAnnotation} is "${prepull}"; allowed: "true", "false"`);
  }
  const count = headroom === undefined ? 0 : Number(headroom);
  const isCount = headroom === undefined || (/^\d{1,9}$/.test(headroom) && count <= mostHeadroom);
  if (!isCount)
    problems.push(`${headroomAnnotation} is "${headroom}"; allowed: whole numbers from 0 to ${mostHeadroom}`);
  return {
    prepull: prepull === 'true',
    headroom: isCount ? count : 0,
    problem: problems.length === 0 ? null : problems.join('; '),
  };
}
