export { cannotRunOn } from './gpu/chooseDevices.ts';
export { discoverGpus, type DiscoverOptions } from './gpu/discover.ts';
export { DriverError } from './process/driverError.ts';
export { connectProcessDriver, type ProcessDriver, type ProcessDriverOptions } from './process/processDriver.ts';
export { type DriverDescription, drivers } from './registry.ts';
