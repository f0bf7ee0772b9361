export { CatalogueError } from './catalogueError.ts';
export { type CatalogueOptions, catalogueCurrency, loadCatalogue } from './load.ts';
export { applyPriceFactors, capacityTypes, parsePriceFactor, type PriceFactor } from './priceFactor.ts';
export { catalogueNames, gpuCards, type OfferingQuery, queryOfferings } from './query.ts';
