/** Fields of the messages that Ebb reads. Left out on the wire is 0, false or empty. */
export interface MetricSpec {
  metricName: string;
  targetSize: number;
  targetSizeFloat: number;
}

export interface MetricValue {
  metricName: string;
  metricValue: number;
  metricValueFloat: number;
}

export interface ScaledObjectRef {
  name: string;
  namespace: string;
  scalerMetadata: Readonly<Record<string, string>>;
}

export interface Answers {
  IsActive: { result: boolean };
  GetMetricSpec: { metricSpecs: MetricSpec[] };
  GetMetrics: { metricValues: MetricValue[] };
}

export interface Messages {
  StreamIsActive: { result: boolean };
  StreamMetricSpec: { metricSpecs: MetricSpec[] };
}

const call = (requestType: string, responseType: string) => ({ requestType, responseType });
const stream = (responseType: string) => ({ requestType: 'ScaledObjectRef', responseType, responseStream: true });
const field = (id: number, type: string) => ({ id, type });
const repeated = (id: number, type: string) => ({ id, type, rule: 'repeated' });

/** `externalScaler.proto` as protobuf.js reads it without a parser, so that the built program needs no file beside it. */
export const contract = {
  nested: {
    externalscaler: {
      nested: {
        ExternalScaler: {
          methods: {
            IsActive: call('ScaledObjectRef', 'IsActiveResponse'),
            StreamIsActive: stream('IsActiveResponse'),
            GetMetricSpec: call('ScaledObjectRef', 'GetMetricSpecResponse'),
            GetMetrics: call('GetMetricsRequest', 'GetMetricsResponse'),
            StreamMetricSpec: stream('GetMetricSpecResponse'),
          },
        },
        ScaledObjectRef: {
          fields: {
            name: field(1, 'string'),
            namespace: field(2, 'string'),
            scalerMetadata: { ...field(3, 'string'), keyType: 'string' },
          },
        },
        IsActiveResponse: { fields: { result: field(1, 'bool') } },
        GetMetricSpecResponse: { fields: { metricSpecs: repeated(1, 'MetricSpec') } },
        MetricSpec: {
          fields: {
            metricName: field(1, 'string'),
            targetSize: field(2, 'int64'),
            targetSizeFloat: field(3, 'double'),
          },
        },
        GetMetricsRequest: {
          fields: { scaledObjectRef: field(1, 'ScaledObjectRef'), metricName: field(2, 'string') },
        },
        GetMetricsResponse: { fields: { metricValues: repeated(1, 'MetricValue') } },
        MetricValue: {
          fields: {
            metricName: field(1, 'string'),
            metricValue: field(2, 'int64'),
            metricValueFloat: field(3, 'double'),
          },
        },
      },
    },
  },
};

export const serviceName = 'externalscaler.ExternalScaler';

/** How int64 and absent fields are given to and by both sides. */
export const loading = { keepCase: true, longs: Number, defaults: true, objects: true };
