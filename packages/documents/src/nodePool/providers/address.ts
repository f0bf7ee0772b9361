import { z } from 'zod';

/** An address that tokens are sent to: with TLS, or on this machine. Comes out without a slash at its end. */
export function addressField() {
  return z
    .string()
    .regex(/^(https:\/\/[^\s/?#@]+|http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?)(\/[^\s?#]*)?$/, {
      error: 'must be an https address (http only on this machine)',
    })
    .transform((address) => address.replace(/\/+$/, ''));
}
