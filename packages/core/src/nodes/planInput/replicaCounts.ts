import { nearest, type WorkloadSpec } from '@ebb/documents';
import { knownNames, type Remarks } from './question.ts';

/** More than a plan is made for. */
const mostReplicas = 100_000;

/** A class of a workload with how many replicas of it are to be placed. */
export interface Wanted {
  spec: WorkloadSpec;
  /** Names the workload among all. */
  workload: string;
  /** With the class, where there are several. */
  name: string;
  replicaClass: WorkloadSpec['classes'][number];
  count: number;
}

/**
 * How many replicas of which class. A workload's own number goes to its first class, since classes stand in for one
 * another; `NAME:CLASS` names another one.
 */
export function replicaCounts(
  workloads: readonly WorkloadSpec[],
  asked: ReadonlyMap<string, number>,
  remarks: Remarks,
): Wanted[] {
  const names = workloadNames(workloads);
  const used = new Set<string>();
  const wanted = workloads.flatMap((spec, index): Wanted[] => {
    const workload = names[index] ?? spec.key.name;
    const spellings = spellingsOf(spec).filter((one) => isOne(workloads, one));
    const find = (suffix: string): number | undefined => {
      const spelling = spellings.find((one) => asked.has(one + suffix));
      if (spelling === undefined) return undefined;
      used.add(spelling + suffix);
      return asked.get(spelling + suffix);
    };
    const whole = find('');
    const byClass = spec.classes.map(({ name }) => find(`:${name}`));
    const isNamed = byClass.some((count) => count !== undefined);
    const own = whole ?? (isNamed ? 0 : Math.max(1, spec.scaling.minReplicas));
    if (spec.classes.length > 1 && !isNamed) {
      const [first, ...others] = spec.classes.map(({ name }) => name);
      remarks.notes.add(
        `${workload}: all replicas are of class ${first}; --replicas ${workload}:${others[0]}=N adds others`,
      );
    }
    return spec.classes.map((replicaClass, at) => ({
      ...{ spec, workload, replicaClass },
      name: spec.classes.length === 1 ? workload : `${workload}:${replicaClass.name}`,
      count: byClass[at] ?? (at === 0 ? own : 0),
    }));
  });
  refuseUnknown(workloads, wanted, asked, used, remarks);
  const total = wanted.reduce((sum, { count }) => sum + count, 0);
  if (total > mostReplicas)
    remarks.problems.add(`${total} replicas are to be placed; a plan has at most ${mostReplicas}`);
  return total > mostReplicas ? [] : wanted.filter(({ count }) => count > 0);
}

function spellingsOf({ key: { cluster, namespace, name } }: WorkloadSpec): string[] {
  return [name, `${namespace}/${name}`, `${cluster}/${namespace}/${name}`];
}

function isOne(workloads: readonly WorkloadSpec[], spelling: string): boolean {
  return workloads.filter((spec) => spellingsOf(spec).includes(spelling)).length === 1;
}

/** The shortest spelling that is no other workload's. */
function workloadNames(workloads: readonly WorkloadSpec[]): string[] {
  return workloads.map((spec) => {
    const spellings = spellingsOf(spec);
    return spellings.find((one) => isOne(workloads, one)) ?? spellings.at(-1) ?? spec.key.name;
  });
}

function refuseUnknown(
  workloads: readonly WorkloadSpec[],
  wanted: readonly Wanted[],
  asked: ReadonlyMap<string, number>,
  used: ReadonlySet<string>,
  { problems }: Remarks,
): void {
  const known = [...new Set(wanted.flatMap(({ workload, name }) => [workload, name]))];
  for (const name of asked.keys()) {
    if (used.has(name)) continue;
    const [plain = ''] = name.split(':');
    const isSeveral = workloads.filter((spec) => spellingsOf(spec).includes(plain)).length > 1;
    const why = isSeveral ? `"${plain}" is the name of several Workloads; there is ${known.join(', ')}` : null;
    problems.add(`--replicas: ${why ?? `no Workload or class is "${name}"${knownNames(nearest(name, known), known)}`}`);
  }
}
