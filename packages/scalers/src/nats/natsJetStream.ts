import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { boolean, integer, type Origin, text } from '../contract/parameter.ts';
import type { Pace, ScalerContext, SourceReading, TriggerSource } from '../contract/source.ts';
import { numberReading } from '../numberReading.ts';
import { openHttp } from '../runtime/http.ts';
import { ConsumerLeader } from './consumerLeader.ts';
import { leaseNatsClient, type NatsClientSettings, SubjectListener } from './wakeUps.ts';

const authOrMetadata: readonly Origin[] = ['auth', 'metadata'];
const auth: readonly Origin[] = ['auth'];

/** A pace that became quicker meanwhile is noticed within this time. */
const longestSleepMs = 200;

/** KEDA's trigger on what a JetStream consumer of NATS has to do. */
export const natsJetStream = defineScaler({
  type: 'nats-jetstream',
  summary: 'Messages of a NATS JetStream consumer that are pending or not acknowledged.',
  parameters: {
    natsServerMonitoringEndpoint: text({
      required: true,
      from: authOrMetadata,
      description: 'host:port of the monitoring endpoint.',
    }),
    account: text({ from: authOrMetadata, description: 'Name of the account; $G without accounts.' }),
    accountID: text({ from: authOrMetadata, description: 'Id of the account, where the name is not enough.' }),
    stream: text({ required: true, description: 'Stream.' }),
    consumer: text({ required: true, description: 'Consumer.' }),
    lagThreshold: integer({ default: 10, moreThan: 0, description: 'Messages for one replica.' }),
    activationLagThreshold: integer({ default: 0, description: 'Active above this many messages.' }),
    useHttps: boolean({ default: false, description: 'The monitoring endpoint speaks https.' }),
    natsServer: text({
      from: ['metadata', 'auth', 'env'],
      description: "Ebb's own, which KEDA ignores: client address, nats://host:4222, to be woken by each new message.",
    }),
    user: text({ from: auth, description: "Ebb's own: user for natsServer." }),
    password: text({ from: auth, secret: true, description: "Ebb's own: password for natsServer." }),
    token: text({ from: auth, secret: true, description: "Ebb's own: token for natsServer." }),
  },
  check({ account, accountID, natsServerMonitoringEndpoint: endpoint }, { auth: given }) {
    const problems = [];
    if (account === undefined && accountID === undefined && given !== null) {
      problems.push({
        parameter: 'account',
        message: 'account is missing: give account or accountID ($G without accounts)',
      });
    }
    if (endpoint !== undefined && !URL.canParse(`http://${endpoint}`)) {
      const message = 'natsServerMonitoringEndpoint must be host:port without a scheme';
      problems.push({ parameter: 'natsServerMonitoringEndpoint', message });
    }
    return problems;
  },
  target: ({ lagThreshold, activationLagThreshold }) => ({
    target: lagThreshold,
    activationTarget: activationLagThreshold,
  }),
  metricName: ({ stream }) => `nats-jetstream-${stream}`,
  open(settings, context) {
    const { natsServerMonitoringEndpoint, useHttps, stream, consumer, activationLagThreshold } = settings;
    const account = settings.accountID ?? settings.account;
    if (account === undefined) throw new SourceError('bad-setting', 'account is missing: give account or accountID');
    const base = `${useHttps ? 'https' : 'http'}://${natsServerMonitoringEndpoint.trim().replace(/\/+$/, '')}`;
    const http = openHttp(context);
    const leader = new ConsumerLeader(http, base, { account, stream, consumer });
    let known: readonly string[] = [];
    let subjectsFound: ((subjects: readonly string[]) => void) | null = null;
    const read = async (signal: AbortSignal): Promise<SourceReading> => {
      const { lag, subjects } = await leader.read(signal);
      known = subjects;
      subjectsFound?.(subjects);
      return numberReading(lag, activationLagThreshold);
    };
    const close = () => http.close();
    const { natsServer: servers, user, password, token } = settings;
    if (servers === undefined) return { read, close };
    return wakened({ read, close }, context, { servers, user, password, token }, (listener) => {
      subjectsFound = listener;
      listener?.(known);
    });
  },
  example: `type: nats-jetstream
metadata:
  natsServerMonitoringEndpoint: nats.nats.svc:8222
  account: $G
  stream: orders
  consumer: worker
  lagThreshold: "20"
  natsServer: nats://nats.nats.svc:4222`,
  documentation: {
    reaction:
      'Asked at the polling interval. With natsServer, a new message in the stream wakes it within a tenth of a second; ' +
      'acknowledgements are seen with the next round.',
    rights:
      'The monitoring endpoint has no sign-in. natsServer: a user of the same account that may subscribe to the subjects ' +
      'of the stream, and nothing else.',
    notes: [
      'The value is what is pending and what is delivered and not yet acknowledged, together.',
      'A consumer or stream that does not exist is an error, as in KEDA, and not 0.',
      'In a cluster the server that leads the consumer is looked for; the others do not know the value, so that it is an ' +
        'error when that one cannot be asked.',
      "natsServer, user, password and token are Ebb's own: KEDA ignores them.",
      'With natsServer at most ten messages a second are taken from each subject to notice news; nothing is acknowledged.',
    ],
  },
});

/** The same with `watch`: rounds at pace, and another one whenever something is published. */
function wakened(
  source: Pick<TriggerSource, 'read' | 'close'>,
  context: ScalerContext,
  client: NatsClientSettings,
  onSubjects: (listener: ((subjects: readonly string[]) => void) | null) => void,
): TriggerSource {
  const lease = leaseNatsClient(context, client);
  return {
    read: source.read,
    watch(news: (reading: SourceReading | Error | null) => void, pace: Pace) {
      let hasFailed = false;
      const listener = new SubjectListener(
        lease.connection,
        () => news(null),
        (error) => {
          if (!hasFailed) context.log('warn', `new messages cannot be noticed, rounds go on: ${error.message}`);
          hasFailed = true;
        },
      );
      onSubjects((subjects) => listener.listen(subjects));
      let timer: NodeJS.Timeout;
      let lastMs = Number.NEGATIVE_INFINITY;
      const round = () => {
        timer = setTimeout(round, Math.min(pace.intervalMs, longestSleepMs));
        if (context.nowMs() - lastMs < pace.intervalMs) return;
        lastMs = context.nowMs();
        news(null);
      };
      timer = setTimeout(round, 0);
      return () => {
        clearTimeout(timer);
        onSubjects(null);
        listener.stop();
      };
    },
    async close() {
      await lease.release();
      await source.close();
    },
  };
}
