import { z } from 'zod';

const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A DNS label (RFC 1123), the rule for every name: what Kubernetes accepts as a Service's name. */
export function nameField() {
  return z.string().min(1).max(63).regex(labelPattern, {
    error: 'must be lower-case letters, digits and dashes, and begin and end with a letter or digit',
  });
}

/** A label or annotation key: an optional DNS prefix with a slash, then up to 63 characters. */
export function labelKeyField() {
  return z.string().regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, {
    error: 'is not a label key; write letters, digits, -, _ and ., with an optional prefix such as example.com/',
  });
}

export function labelValueField() {
  return z.string().regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, {
    error: 'is not a label value; write up to 63 letters, digits, -, _ and .',
  });
}

/** A header name (RFC 9110 token); compared without regard to case. */
export function headerNameField() {
  return z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, { error: 'is not a header name' });
}

/** Headers and the exact values they must have. Names come out in lower case. */
export function headersField() {
  return z
    .record(
      headerNameField(),
      z
        .string()
        .max(4096)
        .regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'is not a header value' }),
    )
    .transform((headers, context) => {
      const lowered: Record<string, string> = {};
      for (const [name, value] of Object.entries(headers)) {
        const lower = name.toLowerCase();
        if (Object.hasOwn(lowered, lower)) {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `header "${name}" is there twice; names are compared without regard to case`,
            params: { code: 'duplicate-name' },
          });
        }
        lowered[lower] = value;
      }
      return lowered;
    });
}
