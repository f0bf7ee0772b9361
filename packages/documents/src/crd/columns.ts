/** A column of `kubectl get`. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description?: string;
  /** Above 0: with `-o wide` only. */
  priority?: number;
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const text = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'string', jsonPath });
const count = (name: string, jsonPath: string): PrinterColumn => ({ name, type: 'integer', jsonPath });
const wide = (column: PrinterColumn): PrinterColumn => ({ ...column, priority: 1 });

/** Those of `ebb get`, as far as a JSONPath can say them; `kubectl` adds the name and, where asked, the namespace. */
export const printerColumns: Readonly<Record<'Cluster' | 'NodePool' | 'Workload', readonly PrinterColumn[]>> = {
  Workload: [
    text('Ready', '.status.shown.ready'),
    text('Min-Max', '.status.shown.bounds'),
    count('In flight', '.status.inFlight'),
    count('Held', '.status.held'),
    count('Requests', '.status.requests.total'),
    wide(count('Failed', '.status.requests.failed')),
    wide(count('Refused', '.status.requests.refused')),
    text('Cost/h', '.status.shown.costPerHour'),
    wide(count('Generation', '.metadata.generation')),
    age,
    text('URL', '.status.url'),
  ],
  Cluster: [
    text('Type', '.spec.type'),
    text('Cloud', '.spec.cloud'),
    text('Region', '.spec.region'),
    wide(count('Nodes', '.status.nodes')),
    wide(text('Cost/h', '.status.pricePerHour')),
    wide(count('Generation', '.metadata.generation')),
    age,
  ],
  NodePool: [
    text('Cluster', '.spec.cluster'),
    count('Min', '.spec.minNodes'),
    count('Max', '.spec.maxNodes'),
    count('Spares', '.spec.warmSpares'),
    count('Weight', '.spec.weight'),
    text('Capacity', '.spec.capacityTypes'),
    text('Machines', '.spec.instanceTypes'),
    wide(count('Nodes', '.status.nodes')),
    wide(count('Generation', '.metadata.generation')),
    age,
  ],
};
