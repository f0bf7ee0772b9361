import { type AnyScaler, defineScaler, type Settings, type TriggerValues } from '../contract/definition.ts';
import { boolean, text } from '../contract/parameter.ts';
import type { ScalerContext, TriggerSource } from '../contract/source.ts';
import { openScalerClient, type Place } from './client.ts';
import type { ScaledObjectRef } from './contract.ts';
import { watchPush } from './push.ts';
import { readExternal } from './reading.ts';

const parameters = {
  scalerAddress: text({ required: true, description: 'Where the scaler listens: `host:port`, or a gRPC address.' }),
  enableTLS: boolean({ default: false, description: 'Encrypt. Certificates switch it on by themselves.' }),
  unsafeSsl: boolean({ default: false, description: "Do not check the scaler's certificate." }),
  caCert: text({ from: ['auth'], description: "Authority that has signed the scaler's certificate, PEM." }),
  tlsClientCert: text({ from: ['auth'], description: 'Certificate that Ebb shows, PEM. Together with tlsClientKey.' }),
  tlsClientKey: text({ from: ['auth'], secret: true, description: 'Key of that certificate, PEM.' }),
};
type ExternalSettings = Settings<typeof parameters>;

const rights = 'Whatever the scaler asks for; Ebb only calls its five methods and never changes anything there.';
const notes = [
  "Service, messages and meaning are those of KEDA's externalscaler.ExternalScaler, so that scalers written for KEDA work.",
  'All metadata of the trigger is handed on to the scaler, keys of its own included; a key that ends with FromEnv carries the value of that variable. Nothing of the authentication is handed on.',
  'Whether it is active is what the scaler says, not a comparison.',
  'Of several metrics the one that asks for most replicas counts; several values of one metric are added up.',
  'targetSizeFloat and metricValueFloat count where they are above 0, else targetSize and metricValue.',
  'A scaler that cannot be reached is an error and never a demand of 0.',
];

function defineExternal(
  type: 'external' | 'external-push',
  summary: string,
  reaction: string,
  watches: boolean,
): AnyScaler {
  return defineScaler({
    type,
    summary,
    parameters,
    handsOnMetadata: true,
    check: ({ tlsClientCert, tlsClientKey }, { auth }) => {
      if (auth === null || (tlsClientCert === undefined) === (tlsClientKey === undefined)) return [];
      const missing = tlsClientCert === undefined ? 'tlsClientCert' : 'tlsClientKey';
      return [{ parameter: missing, message: `tlsClientCert and tlsClientKey belong together: ${missing} is missing` }];
    },
    target: () => null,
    metricName: ({ scalerAddress }) => `external-${scalerAddress}`,
    open: (settings, context, values) => openExternal(settings, context, values, watches),
    example: `type: ${type}
metadata:
  scalerAddress: scaler.example:6000
  queue: orders`,
    documentation: { reaction, rights, notes },
  });
}

export const external = defineExternal(
  'external',
  "Whatever a scaler of your own counts, asked over KEDA's gRPC interface.",
  'Polled: three small calls on a connection that is kept.',
  false,
);

export const externalPush = defineExternal(
  'external-push',
  'As `external`, and the scaler tells by itself when it becomes active.',
  'Activity is pushed by StreamIsActive and targets by StreamMetricSpec, where the scaler has it; the value is polled while it is active or its stream is down.',
  true,
);

function openExternal(
  settings: ExternalSettings,
  context: ScalerContext,
  values: TriggerValues,
  watches: boolean,
): TriggerSource {
  const address = settings.scalerAddress;
  const client = openScalerClient(context, { address, tls: tlsOf(settings) });
  const { namespace, name } = context.object;
  const reference: ScaledObjectRef = { name, namespace, scalerMetadata: handedOn(values) };
  return {
    read: (signal) => readExternal(client, address, reference, signal),
    ...(watches ? { watch: (news, pace) => watchPush(client, reference, news, pace) } : {}),
    close: () => client.close(),
  };
}

/** As in KEDA, a certificate alone switches TLS on, and `unsafeSsl` alone does not. */
function tlsOf({ enableTLS, unsafeSsl, caCert, tlsClientCert, tlsClientKey }: ExternalSettings): Place['tls'] {
  if (!enableTLS && caCert === undefined && tlsClientCert === undefined) return null;
  return { ca: caCert, cert: tlsClientCert, key: tlsClientKey, unsafeSsl };
}

/** Under a key that ends with FromEnv stands what the variable holds; one that is not set is left out, as in KEDA. */
function handedOn({ metadata, env }: TriggerValues): Record<string, string> {
  const entries = Object.entries(metadata).flatMap(([key, value]) => {
    if (!key.endsWith('FromEnv')) return [[key, value] as const];
    const found = Object.hasOwn(env, value) ? env[value] : undefined;
    return found ? [[key, found] as const] : [];
  });
  return Object.fromEntries(entries);
}
