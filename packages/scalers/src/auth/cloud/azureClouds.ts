import { azureAuthority } from './azure.ts';

/** Addresses of one of Azure's clouds. */
export interface AzureCloud {
  authority: string;
  keyVault: string;
  /** Scope of Azure Monitor's Prometheus; null: it has none. */
  prometheus: string | null;
}

const publicCloud: AzureCloud = {
  authority: azureAuthority,
  keyVault: 'https://vault.azure.net',
  prometheus: 'https://prometheus.monitor.azure.com/.default',
};
const government: AzureCloud = {
  authority: 'https://login.microsoftonline.us',
  keyVault: 'https://vault.usgovcloudapi.net',
  prometheus: 'https://prometheus.monitor.usgovcloudapi.net/.default',
};
const china: AzureCloud = {
  authority: 'https://login.chinacloudapi.cn',
  keyVault: 'https://vault.azure.cn',
  prometheus: 'https://prometheus.monitor.chinacloudapp.cn/.default',
};
const german: AzureCloud = {
  authority: 'https://login.microsoftonline.de',
  keyVault: 'https://vault.microsoftazure.de',
  prometheus: null,
};

const clouds: Readonly<Record<string, AzureCloud>> = {
  azurepubliccloud: publicCloud,
  azurecloud: publicCloud,
  azureusgovernmentcloud: government,
  azureusgovernment: government,
  azurechinacloud: china,
  azuregermancloud: german,
};

/** Names that KEDA knows Azure's clouds by, besides `Private`, where the document gives the addresses. */
export const azureCloudNames = ['AzurePublicCloud', 'AzureUSGovernmentCloud', 'AzureChinaCloud', 'AzureGermanCloud'];

/** A cloud by its name in any case, and the public one where none is written; undefined: there is none of that name. */
export function azureCloud(name: string | undefined): AzureCloud | undefined {
  if (!name) return publicCloud;
  const key = name.toLowerCase();
  return Object.hasOwn(clouds, key) ? clouds[key] : undefined;
}

/** Whether the document gives the addresses of its cloud itself. */
export function isPrivateCloud(name: string | undefined): boolean {
  return name?.toLowerCase() === 'private';
}
