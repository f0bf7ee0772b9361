import { type JsonObject, textAt } from '../../client/values.ts';
import { headroomAnnotation, prepullAnnotation } from '../../warmth/annotations.ts';
import type { ClusterCheck } from './doctor.ts';
import { type ClusterFacts, isAdviser, known, objectText, operatorOf, operatorVariable } from './facts.ts';
import { unread } from './installation.ts';

const mostNamed = 3;

interface Part {
  /** As the flag is called that switches it on. */
  readonly flag: string;
  readonly variable: string;
  /** What asks for it, by kind and name. */
  asks(facts: ClusterFacts): string[];
}

const parts: readonly Part[] = [
  {
    flag: '--serve-services',
    variable: 'EBB_SERVE_SERVICES',
    asks: ({ services }) => named('Service', known(services)),
  },
  {
    flag: '--sizing',
    variable: 'EBB_SIZING',
    asks: ({ workloads }) => {
      const apply = (one: JsonObject) => textAt(one, 'spec', 'sizing', 'apply');
      return named(
        'Workload',
        known(workloads).filter((one) => (apply(one) ?? 'never') !== 'never'),
      );
    },
  },
  {
    flag: '--warmth',
    variable: 'EBB_WARMTH',
    asks: ({ deployments, scaledObjects, workloads }) =>
      Object.entries({ Deployment: deployments, ScaledObject: scaledObjects, Workload: workloads }).flatMap(
        ([kind, read]) => named(kind, known(read).filter(asksForWarmth)),
      ),
  },
  {
    flag: '--node-pools',
    variable: 'EBB_NODE_POOLS',
    asks: ({ clusters }) => named('Cluster', known(clusters)),
  },
];

/** Whether something asks for a part of the operator that is not switched on: nobody would tell it elsewhere. */
export function checkParts(facts: ClusterFacts): ClusterCheck {
  const name = 'optional parts';
  const { deployments, namespace } = facts;
  if ('forbidden' in deployments) return unread(name, deployments.forbidden);
  const operator = operatorOf(deployments.value, namespace);
  const isOn = ({ variable }: Part) => operatorVariable(operator, variable) === 'true';
  const on = parts.filter(isOn).map(({ flag }) => flag.slice(2));
  const switchedOn = on.length === 0 ? 'none switched on' : `${on.join(', ')} switched on`;
  // Whoever only advises writes nothing of them, and is told so where it is installed.
  const wanting =
    operator === undefined || isAdviser(operator)
      ? []
      : parts.filter((part) => !isOn(part)).map((part) => ({ ...part, asking: part.asks(facts) }));
  const missing = wanting.filter(({ asking }) => asking.length > 0);
  if (missing.length === 0) return { name, state: 'ok', found: switchedOn, hint: null };
  const asked = missing.map(
    ({ flag, asking }) => `${asking.slice(0, mostNamed).join(', ')}${more(asking)} for ${flag}`,
  );
  const flags = missing.map(({ flag }) => flag).join(' ');
  return {
    name,
    state: 'hint',
    found: `${switchedOn}, asked for: ${asked.join('; ')}`,
    hint: `nothing is done about them without: ebb kubernetes upgrade ${flags}`,
  };
}

function asksForWarmth(one: JsonObject): boolean {
  const annotation = (name: string) => textAt(one, 'metadata', 'annotations', name);
  return annotation(prepullAnnotation) === 'true' || (annotation(headroomAnnotation) ?? '0') !== '0';
}

function named(kind: string, objects: readonly JsonObject[]): string[] {
  return objects.map((one) => `${kind} ${objectText(one)}`);
}

function more(all: readonly string[]): string {
  return all.length > mostNamed ? ` and ${all.length - mostNamed} more` : '';
}
