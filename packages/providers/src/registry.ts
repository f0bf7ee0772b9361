import type { ProviderDefinition } from './contract.ts';

/** One line a provider, sorted. Each is loaded when it is opened. */
export const providers: readonly ProviderDefinition[] = [
  {
    name: 'aws',
    summary: 'EC2 instances, bought one by one or as members of Auto Scaling groups.',
    open: async (settings, ports) => (await import('./aws/aws.ts')).openAws(settings, ports),
  },
  {
    name: 'azure',
    summary: 'Azure virtual machines, made one by one in flexible scale sets or as members of uniform ones.',
    open: async (settings, ports) => (await import('./azure/azure.ts')).openAzure(settings, ports),
  },
  {
    name: 'gcp',
    summary: 'Compute Engine instances, made one by one or as members of managed instance groups.',
    open: async (settings, ports) => (await import('./gcp/gcp.ts')).openGcp(settings, ports),
  },
  {
    name: 'karpenter',
    summary: 'Nodes that Karpenter makes of NodeClaims, in the Kubernetes cluster where Ebb runs.',
    open: async (settings, ports) => (await import('./karpenter/karpenter.ts')).openKarpenter(settings, ports),
  },
  {
    name: 'rehearsal',
    summary: 'Machines that exist only in a book, with the times of their start and at the prices of the catalogue.',
    open: async (settings, ports) => (await import('./rehearsal/rehearsal.ts')).openRehearsal(settings, ports),
  },
  {
    name: 'static',
    summary: "Machines of one's own, which pools list; woken and put to sleep by commands.",
    open: async (settings, ports) => (await import('./static/static.ts')).openStatic(settings, ports),
  },
];
