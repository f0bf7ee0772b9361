import type { PodIdentity } from '../auth/authentication.ts';
import type { Parameter } from './parameter.ts';
import type { ScalerContext, TriggerSource } from './source.ts';

export type Parameters = Readonly<Record<string, Parameter>>;

/** What the parameters of a definition come to once they are read. */
export type Settings<Of extends Parameters> = {
  readonly [Name in keyof Of]: Of[Name] extends Parameter<infer Value> ? Value : never;
};

/** What a trigger aims at for each replica (or for all, with metricType Value), and from which value on it is active. */
export interface TriggerTarget {
  target: number;
  activationTarget: number;
}

/** A fault that only several settings together show, or one that a parameter's own check cannot see. */
export interface SettingProblem {
  /** Parameter at fault: the place that is pointed at. */
  parameter: string;
  message: string;
  severity?: 'error' | 'warning';
}

/** Which parameters are written and where; `auth` is null where it is not known what the authentication gives. */
export interface WrittenSettings {
  metadata: Readonly<Record<string, string>>;
  auth: Readonly<Record<string, string>> | null;
  /** Identity of a cloud that the authentication names; null: none. Undefined where that is not known. */
  identity?: PodIdentity | null | undefined;
}

/** Everything a trigger says, as it is read. */
export interface TriggerValues {
  metadata: Readonly<Record<string, string>>;
  /** What the trigger's authentication gives. */
  auth: Readonly<Record<string, string>>;
  /** Environment of the target's container. */
  env: Readonly<Record<string, string>>;
  /** Identity of a cloud that the authentication names; null or left out: none. */
  identity?: PodIdentity | null | undefined;
}

/** One scaler: one file. Validation, documentation, `ebb scalers` and the reading of the source come from it. */
export interface ScalerDefinition<Of extends Parameters = Parameters> {
  /** As in a trigger's `type`. */
  type: string;
  /** One sentence: what it counts. */
  summary: string;
  parameters: Of;
  /** Providers of pod identities that it can sign in with; left out: none. */
  identities?: readonly PodIdentity['provider'][];
  /**
   * Faults of the settings together. Only called when each alone is right. What may still come from the authentication
   * must not be missed while `written.auth` is null.
   */
  check?(settings: Settings<Of>, written: WrittenSettings): SettingProblem[];
  /** Null: only the source knows (an external scaler tells it with each reading). */
  target(settings: Settings<Of>): TriggerTarget | null;
  /** Parameter that may be left out where only a formula uses the trigger's value (KEDA's AsMetricSource). */
  formulaTarget?: string;
  /** KEDA's name of the metric before `sN-` and normalisation, such as `rabbitmq-orders`. */
  metricName(settings: Settings<Of>): string;
  /** Metadata that is none of the parameters is not a mistake: it is handed on (external scalers have keys of their own). */
  handsOnMetadata?: boolean;
  /**
   * Begins to read: nothing is connected before the first `read` or `watch`. `values` is what `settings` were read from,
   * for scalers that hand it on.
   */
  open(settings: Settings<Of>, context: ScalerContext, values: TriggerValues): TriggerSource;
  /** A trigger as it is written, for the documentation; a test reads it. */
  example: string;
  documentation: {
    /** How news reach Ebb: pushed by what, polled at what cost. */
    reaction: string;
    /** What the account must be allowed to do, and that it needs no more. */
    rights: string;
    /** Rules of the value that a user will ask about, one sentence each. */
    notes: readonly string[];
  };
}

/** A definition as the registry keeps it: its settings are only known to itself. */
export type AnyScaler = ScalerDefinition;

/** Checks the definition's types and forgets them, for the registry. */
export function defineScaler<const Of extends Parameters>(definition: ScalerDefinition<Of>): AnyScaler {
  // Settings are only ever made by `readSettings` from this very definition's parameters.
  return definition as unknown as AnyScaler;
}
