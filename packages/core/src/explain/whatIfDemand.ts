import type { ClassObservation, Observation } from '../replicas/types.ts';
import { smallestThat, type Varied, type WhatIf } from './whatIfSearch.ts';

/** More requests than any gateway holds. */
const mostRequests = 1_000_000;

/** How many more, and how many fewer, requests at this moment would have given another count, for each class. */
export function demandChanges(varied: Varied): WhatIf[] {
  const { observation, replicas } = varied;
  if (!observation.countsKnown) return [];
  return Object.entries(observation.classes).flatMap(([name, seen]) => {
    const demand = seen.inFlight + seen.held;
    const withDemand = (count: number) =>
      varied.replicasWith({ observation: observationWith(observation, name, count) });
    const found: WhatIf[] = [];
    const more = smallestThat(demand, mostRequests, (count) => (withDemand(count) ?? replicas) > replicas);
    if (more !== null) found.push(change('more-requests', name, demand, more, withDemand(more)));
    const fewer = smallestThat(0, demand, (less) => (withDemand(demand - less) ?? replicas) < replicas);
    if (demand > 0 && fewer !== null) {
      found.push(change('fewer-requests', name, demand, demand - fewer, withDemand(demand - fewer)));
    }
    return found;
  });
}

function change(code: string, name: string, demand: number, requests: number, replicas: number | null): WhatIf {
  return { change: code, data: { class: name, now: demand, requests, replicas } };
}

/** More of them are held; fewer of them are first fewer that are held. */
function observationWith(observation: Observation, name: string, demand: number): Observation {
  const seen = observation.classes[name];
  if (!seen) return observation;
  const inFlight = Math.min(seen.inFlight, demand);
  const changed: ClassObservation = { ...seen, inFlight, held: demand - inFlight };
  const lastActiveAtMs = demand > 0 ? observation.nowMs : observation.lastActiveAtMs;
  return { ...observation, lastActiveAtMs, classes: { ...observation.classes, [name]: changed } };
}
