/** The text of a small valid Workload document, for tests. */
export function checkableText(name: string, command = '[node, worker.mjs]'): string {
  return `apiVersion: ebb.dev/v1alpha1
kind: Workload
metadata:
  name: ${name}
spec:
  classes:
    - name: default
      command: ${command}
`;
}
