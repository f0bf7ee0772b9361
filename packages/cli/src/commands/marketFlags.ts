import { textFlag } from './flags.ts';

/** Where machines are to be rented, and by which prices. */
export interface MarketFlags {
  cloud?: string;
  region?: string;
  catalogue?: string;
  factor?: readonly string[];
}

export const placeFlags = {
  cloud: textFlag('NAME', 'aws, gcp or azure, or a cloud of your own file, in place of what the Cluster says'),
  region: textFlag('NAME', "The cloud's name of the region, in place of what the Cluster says"),
} as const;

export const priceFlags = {
  catalogue: textFlag('FILE', 'Prices in CSV or JSON in place of the built-in list'),
  factor: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    optional: true,
    placeholder: 'CLOUD/REGION/INSTANCE/CAPACITY=FACTOR',
    brief: 'What is left of a price after a discount: aws/*/*/on-demand=72%; several multiply',
  },
} as const;
