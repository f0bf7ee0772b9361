import { z } from 'zod';
import { apiVersion } from '../kind.ts';
import { type KindName, kindNames, kindOf } from '../kinds.ts';
import { type JsonSchema, jsonSchemaOf } from '../reference/jsonSchema.ts';
import { shortNames } from '../shortNames.ts';
import { printerColumns } from './columns.ts';
import {
  clusterResourceStatusSchema,
  nodePoolResourceStatusSchema,
  workloadResourceStatusSchema,
} from './resourceStatus.ts';
import { crdRules } from './rules.ts';
import { structural } from './structural.ts';
import type { CelRule, StructuralSchema } from './structuralSchema.ts';

const statusSchemas = {
  Cluster: clusterResourceStatusSchema,
  NodePool: nodePoolResourceStatusSchema,
  Workload: workloadResourceStatusSchema,
} as const;

/** Ebb's own kinds: those that a cluster has to be told of. The others have definitions of their owners. */
export type OwnKindName = keyof typeof statusSchemas;

export const ownKindNames: readonly OwnKindName[] = kindNames
  .filter((name) => kindOf(name).apiVersion === apiVersion)
  .map((name) => {
    if (!isOwnKind(name)) throw new Error(`${name} has no schema for its status in Kubernetes`);
    return name;
  });

function isOwnKind(name: KindName): name is OwnKindName {
  return Object.hasOwn(statusSchemas, name);
}

const [group = '', version = ''] = apiVersion.split('/');

/** Defaults that the API server fills in: those that `/scale`, columns and rules read. All others are Ebb's to fill in. */
const storedDefaults: Readonly<Partial<Record<OwnKindName, readonly (readonly [path: string, value: unknown])[]>>> = {
  Workload: [
    ['spec.scaling', {}],
    ['spec.scaling.minReplicas', 0],
    ['spec.scaling.maxReplicas', 1],
    // Key of a list that is merged by it.
    ['spec.classes[].name', 'default'],
  ],
  Cluster: [
    ['spec', {}],
    ['spec.type', 'local'],
    ['spec.cloud', 'local'],
  ],
  NodePool: [
    ['spec', {}],
    ['spec.cluster', 'local'],
    ['spec.minNodes', 0],
    ['spec.warmSpares', 0],
  ],
};

/** Lists whose elements have names: an apply changes an element, not the whole list. */
const namedLists: Readonly<Partial<Record<OwnKindName, readonly string[]>>> = { Workload: ['spec.classes'] };

/** A kind's CustomResourceDefinition (apiextensions.k8s.io/v1), from the schema that everything else comes from. */
export function customResourceDefinition(name: OwnKindName) {
  const { kind, plural, summary } = kindOf(name);
  const short = shortNames[name];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(short === undefined ? {} : { shortNames: [short] }),
        categories: ['ebb'],
      },
      scope: 'Namespaced',
      preserveUnknownFields: false,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { description: summary, ...resourceSchema(name) } },
          subresources: {
            status: {},
            ...(name === 'Workload'
              ? {
                  scale: {
                    // Who scales a Workload from outside says how many there are at least; Ebb goes on deciding above that.
                    specReplicasPath: '.spec.scaling.minReplicas',
                    statusReplicasPath: '.status.replicas.ready',
                    labelSelectorPath: '.status.selector',
                  },
                }
              : {}),
          },
          additionalPrinterColumns: printerColumns[name],
        },
      ],
    },
  };
}

function resourceSchema(name: OwnKindName): StructuralSchema {
  const { properties = {}, required = [] } = jsonSchemaOf(name);
  const { spec, metadata } = properties;
  if (!spec || !metadata) throw new Error(`${name} has no spec`);
  const schema: StructuralSchema = {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      // Of the metadata a definition may bound the name only.
      metadata: { type: 'object', properties: { name: structural(metadata.properties?.name ?? {}) } },
      spec: structural(spec),
      status: statusSchema(name),
    },
    ...(required.includes('spec') ? { required: ['spec'] } : {}),
  };
  for (const [path, rules] of Object.entries(crdRules[name] ?? {})) addRules(schemaAt(schema, path), rules);
  for (const [path, value] of storedDefaults[name] ?? []) schemaAt(schema, path).default = value;
  for (const path of namedLists[name] ?? []) {
    const list = schemaAt(schema, path);
    list['x-kubernetes-list-type'] = 'map';
    list['x-kubernetes-list-map-keys'] = ['name'];
  }
  return schema;
}

function statusSchema(name: OwnKindName): StructuralSchema {
  const json: JsonSchema = JSON.parse(JSON.stringify(z.toJSONSchema(statusSchemas[name], { target: 'draft-7' })));
  const schema = { description: 'What Ebb says of it.', ...structural({ ...json }) };
  // A part that is missing is no reason to refuse the rest of what is said.
  optional(schema);
  // Whoever writes a condition writes that one.
  const conditions = schemaAt(schema, 'conditions');
  conditions['x-kubernetes-list-type'] = 'map';
  conditions['x-kubernetes-list-map-keys'] = ['type'];
  if (conditions.items) conditions.items.required = ['type', 'status'];
  return schema;
}

function optional(schema: StructuralSchema): void {
  delete schema.required;
  for (const field of Object.values(schema.properties ?? {})) optional(field);
  for (const part of [schema.items, schema.additionalProperties]) if (part) optional(part);
}

function addRules(schema: StructuralSchema, rules: readonly CelRule[]): void {
  schema['x-kubernetes-validations'] = [...(schema['x-kubernetes-validations'] ?? []), ...rules];
}

/** The schema at a path such as `spec.classes[].name`. Throws where there is none, so that no rule is lost by a typing error. */
function schemaAt(schema: StructuralSchema, path: string): StructuralSchema {
  let at: StructuralSchema | undefined = schema;
  for (const step of path.split('.')) {
    at = at?.properties?.[step.replace('[]', '')];
    if (step.endsWith('[]')) at = at?.items;
  }
  if (!at) throw new Error(`the schema has nothing at ${path}`);
  return at;
}
