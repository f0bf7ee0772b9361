import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { boolean, choice, number, SettingFault, text } from '../contract/parameter.ts';
import { authParameters, checkAuthModes } from '../http/authModes.ts';
import { openAuthorisedHttp } from '../http/authorisedHttp.ts';
import { httpUrl, timeout } from '../http/httpParameters.ts';
import { numberReading } from '../numberReading.ts';
import { checkStatus, place } from '../runtime/http.ts';
import { withinTime } from '../runtime/withinTime.ts';
import { numberAt, xmlValue, yamlValue } from './documentValue.ts';
import { parseSelector, sampleValue } from './exposition.ts';
import { parseJsonPath } from './gjsonPath.ts';
import { jsonValue } from './jsonValue.ts';

const formats = ['json', 'xml', 'yaml', 'prometheus'] as const;
type Format = (typeof formats)[number];

/** KEDA's trigger on a number in what an HTTP interface answers. */
export const metricsApi = defineScaler({
  type: 'metrics-api',
  summary: 'Number in the answer of an HTTP interface.',
  parameters: {
    url: httpUrl('What is asked.'),
    valueLocation: text({ required: true, description: 'Where the number is in the answer, in words of its format.' }),
    format: choice(formats, { default: 'json', description: 'What the answer is.' }),
    targetValue: number({ required: true, moreThan: 0, description: 'Value that one replica is to have.' }),
    activationTargetValue: number({ default: 0, description: 'Active above this value.' }),
    unsafeSsl: boolean({ default: false, description: "The server's certificate is not checked." }),
    timeout: timeout({ description: 'Longest time for one request.' }),
    aggregateFromKubeServiceEndpoints: boolean({
      default: false,
      description: 'Ask every endpoint of a Kubernetes service; not available here.',
    }),
    aggregationType: choice(['average', 'sum', 'max', 'min'], {
      default: 'average',
      description: 'What is made of the endpoints of a service.',
    }),
    ...authParameters,
  },
  check(settings, written) {
    const problems = checkAuthModes(settings, written);
    if (settings.aggregateFromKubeServiceEndpoints) {
      const message =
        'aggregateFromKubeServiceEndpoints needs the endpoints of a Kubernetes service, which are not read here; ' +
        'let the interface answer for all replicas, or use a prometheus trigger';
      problems.push({ parameter: 'aggregateFromKubeServiceEndpoints', message });
    }
    try {
      reader(settings.format, settings.valueLocation);
    } catch (error) {
      if (!(error instanceof SettingFault)) throw error;
      const message = `valueLocation ${error.message}, found "${settings.valueLocation}"`;
      problems.push({ parameter: 'valueLocation', message });
    }
    return problems;
  },
  formulaTarget: 'targetValue',
  target: ({ targetValue, activationTargetValue }) => ({
    target: targetValue,
    activationTarget: activationTargetValue,
  }),
  metricName: ({ valueLocation }) => `metric-api-${valueLocation}`,
  open(settings, context) {
    const { url, format, valueLocation, activationTargetValue, unsafeSsl } = settings;
    const timeoutMs = settings.timeout ?? context.timeoutMs;
    const read = reader(format, valueLocation);
    const http = openAuthorisedHttp({ ...context, timeoutMs }, settings, unsafeSsl);
    return {
      read: (signal) =>
        withinTime(timeoutMs, place(url), async (ownSignal) => {
          const answer = await http.get(url, AbortSignal.any([signal, ownSignal]));
          checkStatus(answer, url);
          if (answer.status !== 200)
            throw new SourceError('bad-answer', `${place(url)} answered ${answer.status} instead of 200`);
          try {
            return numberReading(await read(answer.text), activationTargetValue);
          } catch (error) {
            if (!(error instanceof SourceError)) throw error;
            throw new SourceError(error.code, `${place(url)}: ${error.message}`, { cause: error });
          }
        }),
      close: () => http.close(),
    };
  },
  example: `type: metrics-api
metadata:
  url: http://api:3232/api/v1/stats
  valueLocation: components.worker.tasks
  targetValue: "8"`,
  documentation: {
    reaction: 'Asked at the polling interval, one GET each time.',
    rights: 'Reading the URL.',
    notes: [
      'valueLocation in JSON is a GJSON path: names between dots, \\ before a dot that belongs to a name, positions in ' +
        'lists, # (how many), #(name=="x").value (the first that fits), #(…)# (all that fit), * and ? in names, | . ' +
        'Modifiers (@…), literals and several paths at once are not supported.',
      'How many fit: jobs.#(state=="waiting")#|# .',
      'In YAML and XML it is names and list positions between dots; in XML it may begin with the outermost element or ' +
        'within it, and @name is an attribute.',
      'In Prometheus text it is a metric with labels, jobs_waiting{queue="a"}; labels are compared with = only, and the ' +
        'first sample that fits counts.',
      'A text counts where it is a Kubernetes quantity: "1k" is 1000, "500m" is 0.5.',
      'Only status 200 is an answer. Redirections are followed; another host is not told who is asking.',
      'A negative number counts as 0.',
      'Modes custom and oauth are sent too; KEDA takes them and sends nothing.',
    ],
  },
});

/** How a format is read at a place. Throws `SettingFault` where the place is not written as the format wants it. */
function reader(format: Format, location: string): (text: string) => number | Promise<number> {
  if (format === 'prometheus') {
    const selector = parseSelector(location);
    return (text) => sampleValue(text, selector, location);
  }
  if (format === 'yaml') return (text) => yamlValue(text, location);
  if (format === 'xml') return (text) => xmlValue(text, location);
  const path = parseJsonPath(location);
  return (text) => {
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      throw new SourceError('bad-answer', 'the answer is not JSON');
    }
    return numberAt(jsonValue(document, path), location);
  };
}
