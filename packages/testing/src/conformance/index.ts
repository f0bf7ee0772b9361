export { type ClockUnderTest, describeClockConformance } from './clock.ts';
export { describeDriverConformance, type DriverUnderTest } from './driver.ts';
export { type Answer, describeGatewayConformance, type GatewayUnderTest } from './gateway.ts';
export { describeMetricsScraperConformance, type MetricsScraperUnderTest } from './metricsScraper.ts';
export { describeRunsConformance, type RunsUnderTest } from './runs.ts';
export { describeScalerConformance, type ScalerUnderTest } from './scaler.ts';
export { describeStoreConformance, type StoreUnderTest } from './store.ts';
