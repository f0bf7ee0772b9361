import { z } from 'zod';
import { labelKeyField, labelValueField, nameField } from './fields/names.ts';
import { defaultNamespace } from './objectKey.ts';

/** The head that every kind shares, after Kubernetes. */
export const metadataSchema = z
  .strictObject({
    name: nameField().meta({ description: 'Unique within namespace and kind. A DNS label.', examples: ['upscaler'] }),
    namespace: nameField()
      .prefault(defaultNamespace)
      .meta({ description: 'Keeps the objects of one team or purpose apart.' }),
    labels: z
      .record(labelKeyField(), labelValueField())
      .prefault({})
      .meta({ description: 'For people and selectors.', examples: [{ team: 'vision' }] }),
    annotations: z
      .record(labelKeyField(), z.string().max(65_536))
      .prefault({})
      .meta({ description: 'Free text for people and tools; decisions never depend on it.' }),
  })
  .meta({ description: 'Who this object is.' });
