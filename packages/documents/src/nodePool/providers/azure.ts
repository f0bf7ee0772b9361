import { z } from 'zod';
import { nameField } from '../../fields/names.ts';
import { bytesField } from '../../fields/quantity.ts';
import { rule } from '../../fields/rule.ts';
import { addressField } from './address.ts';
import { capacityTypes } from '../priceFactors.ts';

const resourceName = () =>
  z.string().regex(/^[A-Za-z0-9_][-A-Za-z0-9_.()]{0,88}$/, { error: 'is not the name of an Azure resource' });
const resourceId = () =>
  z.string().regex(/^\/subscriptions\/[^/]+\/[^\s?#]+$/, { error: 'must be the id of a resource: /subscriptions/…' });

const scaleSetSchema = z.strictObject({
  name: resourceName().meta({ description: 'Name of the scale set (uniform orchestration).' }),
  zone: z
    .string()
    .regex(/^([a-z0-9-]{1,63}|\*)$/, { error: 'must be a zone such as westeurope-1' })
    .prefault('*')
    .meta({ description: 'Its zone. Left out: any.', examples: ['westeurope-1'] }),
  instanceType: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: 'The machine of its profile.', examples: ['Standard_NC4as_T4_v3'] }),
  capacityType: z.enum(capacityTypes).prefault('on-demand').meta({ description: 'How its profile rents machines.' }),
});

const flexibleSchema = z.strictObject({
  scaleSet: resourceName().meta({
    description: 'Name of the scale set (flexible orchestration) that gets the machines.',
  }),
  image: z
    .string()
    .regex(/^(\/subscriptions\/[^\s]+|[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+)$/, {
      error: 'must be the id of an image, or publisher:offer:sku:version',
    })
    .meta({
      description: 'Id of an image, or publisher:offer:sku:version.',
      examples: ['Canonical:ubuntu-24_04-lts:server:latest'],
    }),
  subnet: resourceId().meta({ description: 'Id of the subnet of its machines.' }),
  adminUsername: z
    .string()
    .regex(/^[a-z_][-a-z0-9_]{0,63}$/, { error: 'is not the name of a user' })
    .prefault('ebb')
    .meta({ description: 'User of the machines.' }),
  sshPublicKey: z.string().min(16).max(8192).meta({ description: 'The public key that the user signs in with.' }),
  diskSize: bytesField()
    .optional()
    .meta({ description: "System disk. Left out: as large as the image's.", examples: ['128Gi'] }),
  diskType: resourceName().prefault('Premium_LRS').meta({ description: 'Kind of the system disk.' }),
  customData: z.string().max(65_535).optional().meta({ description: 'Text for cloud-init.' }),
  identity: resourceId().optional().meta({ description: 'Managed identity of the machines. Left out: none.' }),
});

/** Microsoft Azure: how machines of a pool are made. */
export const azureSchema = z
  .strictObject({
    subscription: z
      .string()
      .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, { error: 'is not the id of a subscription' })
      .meta({ description: 'Id of the subscription.' }),
    resourceGroup: resourceName().meta({ description: 'Where scale sets and machines are.' }),
    credentialsSecretRef: z
      .strictObject({
        name: nameField().meta({
          description: "Name of a Secret in the pool's namespace with `tenantId`, `clientId` and `clientSecret`.",
        }),
      })
      .optional()
      .meta({
        description: 'How to sign in. Left out: the identity of the pod in which Ebb runs, or else of its machine.',
      }),
    scaleSets: z.array(scaleSetSchema).max(100).prefault([]).meta({
      description: 'Uniform scale sets out of which machines come, one for each machine, zone and capacity type.',
    }),
    flexible: flexibleSchema.optional().meta({ description: 'Machines are made one by one in a flexible scale set.' }),
    readyTag: z.boolean().prefault(false).meta({
      description: 'A machine is ready when it has the tag `ebb-ready` with the value `true`. Left out: when it runs.',
    }),
    endpoint: addressField()
      .prefault('https://management.azure.com')
      .meta({ description: 'Address of the Resource Manager, for sovereign clouds.' }),
    authority: addressField()
      .prefault('https://login.microsoftonline.com')
      .meta({ description: 'Where tokens are fetched for a client secret.' }),
  })
  .check(
    rule(['scaleSets', 'flexible'], ({ scaleSets, flexible }, report) => {
      if (scaleSets.length > 0 !== (flexible !== undefined)) return;
      const both = flexible !== undefined;
      report([], `machines come from one of scaleSets and flexible; there ${both ? 'are both' : 'is none of them'}`, {
        code: 'one-of',
      });
    }),
  );

type Azure = z.output<typeof azureSchema>;
type Flexible = z.output<typeof flexibleSchema>;

/** How Azure makes the machines of a pool. */
export interface AzurePoolSpec {
  subscription: string;
  resourceGroup: string;
  /** Null: the workload identity of this pod, or the managed identity of this machine. */
  credentialsSecretRef: { name: string } | null;
  scaleSets: Azure['scaleSets'];
  /** Null: machines come out of `scaleSets`. */
  flexible:
    | (Omit<Flexible, 'diskSize' | 'customData' | 'identity'> & {
        diskBytes: number | null;
        customData: string | null;
        identity: string | null;
      })
    | null;
  readyTag: boolean;
  endpoint: string;
  authority: string;
}

export function resolveAzure(azure: Azure | undefined): AzurePoolSpec | null {
  if (azure === undefined) return null;
  const { flexible } = azure;
  return {
    ...azure,
    credentialsSecretRef: azure.credentialsSecretRef ?? null,
    flexible: flexible === undefined ? null : flexibleOf(flexible),
  };
}

function flexibleOf({ diskSize, customData, identity, ...rest }: Flexible): AzurePoolSpec['flexible'] {
  return { ...rest, diskBytes: diskSize ?? null, customData: customData ?? null, identity: identity ?? null };
}
