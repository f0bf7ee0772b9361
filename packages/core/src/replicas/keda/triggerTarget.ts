/** What a trigger aims at, and the value from which it is active. */
export interface TriggerTarget {
  target: number;
  activationTarget: number;
}

/** A trigger whose settings do not say what is aimed at. */
export class TriggerTargetError extends Error {
  readonly trigger: string;
  /** Key of the metadata; empty where it is none of them. */
  readonly key: string;
  constructor(trigger: string, key: string, message: string) {
    super(message);
    this.name = 'TriggerTargetError';
    this.trigger = trigger;
    this.key = key;
  }
}
