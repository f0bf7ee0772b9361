import { z } from 'zod';

/** A DNS subdomain (RFC 1123): most names of Kubernetes objects. */
export function subdomainField(max = 253) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, {
      error: 'must be lower-case letters, digits, dashes and dots, and begin and end with a letter or digit',
    });
}

/** A name that is one segment of a path: metrics, kinds, containers. */
export function segmentField() {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(/^(?!\.{1,2}$)[^/%]+$/, { error: 'must not be "." or ".." and must not contain "/" or "%"' });
}

const int32Max = 2_147_483_647;

/** A whole number as Kubernetes' int32 holds it. */
export function int32Field(min: number, max = int32Max) {
  return z.int().min(min).max(max);
}
