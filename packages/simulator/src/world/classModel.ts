import type { WorldModel } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import { type ServiceTime, serviceTime } from './serviceTime.ts';

/** The world of one class by itself: what the model says of the class, and of all where it says nothing. */
export function classModel({ classes, ...model }: WorldModel, className: string): WorldModel {
  return { ...model, ...classes?.[className] };
}

/** Lengths of service of the classes that have their own; null: no class has. All draw alike, so classes differ in length only. */
export function classServices({ classes = {} }: WorldModel, draws: () => Draws): Map<string, ServiceTime> | null {
  const found = new Map<string, ServiceTime>();
  for (const [name, { service }] of Object.entries(classes))
    if (service) found.set(name, serviceTime(service, draws()));
  return found.size > 0 ? found : null;
}

/** Every world that a request or a start may meet: that of a class without its own as well. */
export function worldsOf(model: WorldModel): WorldModel[] {
  const { classes = {}, ...base } = model;
  return [base, ...Object.keys(classes).map((name) => classModel(model, name))];
}
