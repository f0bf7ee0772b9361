/** Two Workloads to be placed: replicas with a GPU each, and small ones without. `web` and `all` are more lines of spec. */
export function planWorkloads(minReplicas: number, { web = '', all = '' } = {}): string {
  return `
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: llm }
spec:
${all}  classes:
    - command: [serve]
      resources: { requests: { cpu: 3, memory: 12Gi, gpu: 1, gpuMemory: 20Gi } }
  scaling: { minReplicas: ${minReplicas}, maxReplicas: 40 }
---
apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata: { name: web }
spec:
${all}${web}  classes:
    - command: [serve]
      resources: { requests: { cpu: 500m, memory: 700Mi } }
`;
}
