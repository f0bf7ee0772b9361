/** A CEL rule of a structural schema. */
export interface CelRule {
  rule: string;
  message: string;
  /** The field that is wrong, relative to the object that the rule stands on: `.minReplicas`. */
  fieldPath?: string;
}

/** The part of Kubernetes' OpenAPI v3 ("structural") that our schemas come out as. */
export interface StructuralSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  default?: unknown;
  nullable?: boolean;
  enum?: unknown[];
  not?: { enum: unknown[] };
  anyOf?: { type: string }[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-preserve-unknown-fields'?: true;
  'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-validations'?: CelRule[];
}
