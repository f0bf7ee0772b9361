import { z } from 'zod';
import { bytesField, milliField } from './quantity.ts';

/** Processors and memory, each of which may be left out. */
export const amountsField = () =>
  z.strictObject({
    cpu: milliField()
      .optional()
      .meta({ description: 'Processors.', examples: ['250m'] }),
    memory: bytesField()
      .optional()
      .meta({ description: 'Memory.', examples: ['512Mi'] }),
  });
