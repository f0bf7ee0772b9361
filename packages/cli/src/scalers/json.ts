import type { AnyScaler } from '@ebb/scalers';

/** A scaler for a machine. */
export function scalerJson({ type, summary, parameters, identities = [], example, documentation }: AnyScaler) {
  return {
    type,
    summary,
    reaction: documentation.reaction,
    rights: documentation.rights,
    parameters: Object.entries(parameters).map(([name, parameter]) => {
      const { kind, description, from, required, allowed, values, secret, deprecated } = parameter;
      return {
        name,
        kind,
        description,
        from,
        required,
        default: parameter.default,
        allowed,
        values,
        secret,
        deprecated,
      };
    }),
    identities,
    example,
    notes: documentation.notes,
  };
}
