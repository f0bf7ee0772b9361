import { markdownTable } from '@ebb/documents';
import { ownTypes, unavailableTypes } from '../catalogue.ts';
import { factsOf } from '../catalogueFacts.ts';
import type { AnyScaler } from '../contract/definition.ts';
import { calendars, scalers } from '../registry.ts';
import { allowedText, defaultText, originText } from './originText.ts';

const head = '<!-- Generated from the definitions of packages/scalers; do not edit. -->';
const folder = 'docs/scalers';

/** Every file that comes out of the definitions, with its path from the root of the repository. */
export function generatedFiles(): { path: string; text: string }[] {
  return [
    { path: `${folder}/README.md`, text: indexPage() },
    ...scalers.map((scaler) => ({ path: `${folder}/${scaler.type}.md`, text: renderScalerPage(scaler) })),
  ];
}

function indexPage(): string {
  const rows = scalers.map(({ type, summary }) => {
    const { news, testedAgainst } = factsOf(type);
    return [`[${type}](${type}.md)`, summary, news, testedAgainst];
  });
  const own = ownTypes.map((type) => `\`${type}\``).join(' and ');
  return page(
    '# Scalers',
    `A trigger of a ScaledObject or ScaledJob says what is counted. These types work here; ${own} are Ebb's own, the others ` +
      "are KEDA's, with KEDA's settings and numbers. `ebb scalers` lists them in a terminal, `ebb scalers TYPE` explains one.",
    markdownTable(['type', 'what it counts', 'news', 'tested against'], rows),
    '## How quickly',
    'Without more, sources are asked every `pollingInterval` seconds, as in KEDA (30). With the annotation ' +
      '`ebb.dev/improvements: "true"` on the object Ebb listens where the source can tell, and asks every 100 ms at zero and ' +
      'every second while active where it cannot. Reading never consumes, acknowledges or changes anything.',
    '## Not available',
    'These types of KEDA are known and not available. A trigger of one is shown as Unsupported, holds the last capacity and ' +
      'never counts as 0; `ebb decide` works with it from readings that are given. An [external](external.md) scaler can ' +
      'count what is missing.',
    unavailableTypes
      .map(({ type, looksAt }) => `\`${type}\` (${looksAt})`)
      .join(', ')
      .concat('.'),
    '## Calendars of a Workload',
    calendars.map(({ type, summary }) => `- \`${type}\`: ${summary}`).join('\n'),
  );
}

/** The page of one scaler: an example, its settings, and what a user will ask about. */
export function renderScalerPage(scaler: AnyScaler): string {
  const { type, summary, example, parameters, identities = [], documentation } = scaler;
  const { reaction, rights, notes } = documentation;
  const rows = Object.entries(parameters).map(([name, parameter]) => {
    const fallback = defaultText(parameter);
    return [
      `\`${name}\``,
      originText(name, parameter),
      fallback === 'required' ? '**required**' : fallback === '' ? '–' : `\`${fallback}\``,
      [
        parameter.deprecated === undefined ? '' : `Deprecated: write ${parameter.deprecated}.`,
        parameter.description,
        allowedText(parameter) === '' ? '' : `Allowed: ${allowedText(parameter)}.`,
        parameter.secret ? 'Never shown.' : '',
      ]
        .filter((part) => part !== '')
        .join(' '),
    ];
  });
  const indented = example.replace(/^(?=.)/gm, '    ').trimStart();
  return page(
    `# ${type}`,
    `${summary}${ownTypes.includes(type) ? " This type is Ebb's own; KEDA has none of that name." : ''}`,
    `\`\`\`yaml\ntriggers:\n  - ${indented}\n\`\`\``,
    '## Settings',
    rows.length === 0 ? 'None.' : markdownTable(['setting', 'from', 'default', 'meaning'], rows),
    whereText(parameters),
    identities.length === 0
      ? ''
      : `Signs in with the [pod identity](../secrets.md#identities-of-a-cloud) ${identities.map((one) => `\`${one}\``).join(', ')} of its authentication too.`,
    ...(notes.length === 0 ? [] : ['## Rules', notes.map((note) => `- ${note}`).join('\n')]),
    `## News\n\n${reaction}`,
    `## Rights\n\n${rights}`,
    `Tested against ${factsOf(type).testedAgainst}. [All scalers](README.md)`,
  );
}

function whereText(parameters: AnyScaler['parameters']): string {
  const all = Object.values(parameters).flatMap(({ from }) => from);
  const parts = [
    'Values in `metadata` are text, so numbers stand in quotes.',
    all.includes('env')
      ? '`…FromEnv` names a variable of the target: of the Workload, or of the container of a ScaledJob.'
      : '',
    all.includes('auth') ? '`authentication` is the TriggerAuthentication that `authenticationRef` names.' : '',
    all.includes('env') || all.includes('auth') ? 'The first place that has a value counts.' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function page(...parts: string[]): string {
  return `${[head, ...parts].filter((part) => part !== '').join('\n\n')}\n`;
}
