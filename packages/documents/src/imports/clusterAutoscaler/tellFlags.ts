import { nearest } from '../../nearest.ts';
import type { ForeignDocument } from '../readTexts.ts';
import { FieldError, isRecord } from '../values.ts';
import { type Outcome, shownValue } from '../walk.ts';
import { type AutoscalerContainer, type GivenFlag, givenFlags } from './args.ts';
import { type AutoscalerDraft, flagRules, ruleSwitches } from './flags.ts';
import { ignoredFlags, ignoredSwitches } from './ignoredFlags.ts';
import type { Priorities } from './priorityExpander.ts';
import { tell, type Told } from './tell.ts';

const switches = new Set([...ruleSwitches, ...ignoredSwitches]);
const flagNames = [...Object.keys(flagRules), ...ignoredFlags.keys(), 'expander'];
const regionVariables = ['AWS_REGION', 'AWS_DEFAULT_REGION'];

/** Reads flags and variables of a container into the draft, and tells of each. */
export function tellFlags(
  draft: AutoscalerDraft,
  foreign: ForeignDocument,
  found: AutoscalerContainer,
  priorities: Priorities | null,
  told: Told,
): void {
  const object = `${found.kind.toLowerCase()}/${found.name}`;
  const flags = givenFlags(found.container, (name) => switches.has(name));
  // Read first, because it says how another one is meant.
  draft.isDelayLocal = flags.some(({ name, value }) => name === 'scale-down-delay-type-local' && value !== 'false');
  for (const flag of flags) tellFlag(flag, draft, foreign, found, object, priorities, told);
  tellEnvironment(draft, foreign, found, object, told);
}

function tellFlag(
  { name, value, path }: GivenFlag,
  draft: AutoscalerDraft,
  foreign: ForeignDocument,
  found: AutoscalerContainer,
  object: string,
  priorities: Priorities | null,
  told: Told,
): void {
  const at = [...found.path, ...path];
  const reason = ignoredFlags.get(name);
  const rule = Object.hasOwn(flagRules, name) ? flagRules[name] : undefined;
  const isKnown = rule !== undefined || reason !== undefined || name === 'expander';
  // What a flag holds that nobody knows may be anything.
  const shown = value === null ? '' : isKnown ? shownValue(value) : '***';
  tell({ foreign, path: at, object, field: `--${name}`, value: shown }, told, () => {
    if (reason !== undefined) return { ignored: reason };
    if (name === 'expander') return readExpander(value ?? '', draft, priorities);
    if (rule) {
      if (value === null && !switches.has(name)) throw new FieldError('needs a value');
      return rule(value ?? 'true', draft, at);
    }
    const meant = nearest(name, flagNames);
    const suggestion = meant === undefined ? '' : `; did you mean "--${meant}"?`;
    return { ignored: `Cluster Autoscaler has no such flag${suggestion}` };
  });
}

const expanders = ['random', 'most-pods', 'least-waste', 'least-nodes', 'price', 'priority', 'grpc'];

/** Of a chain the first that has a counterpart counts. */
function readExpander(value: string, draft: AutoscalerDraft, priorities: Priorities | null): Outcome {
  const names = value.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !expanders.includes(name));
  if (unknown !== undefined)
    throw new FieldError(`has the unknown expander "${unknown}"; known: ${expanders.join(', ')}`);
  draft.expanders = names;
  const others = names.filter((name) => name !== 'price' && name !== 'priority');
  const rest = others.length > 0 ? `${others.join(', ')} is not asked: the cheapest plan over all pools is taken` : '';
  if (names.includes('priority')) {
    const note = priorities ? rest : 'its ConfigMap is not among the files: write weight into the pools';
    return note === '' ? { becomes: 'weight' } : { becomes: 'weight', note };
  }
  if (!names.includes('price')) return { ignored: rest };
  const becomes = 'the plan, which is the cheapest over all pools';
  return rest === '' ? { becomes } : { becomes, note: rest };
}

function tellEnvironment(
  draft: AutoscalerDraft,
  foreign: ForeignDocument,
  found: AutoscalerContainer,
  object: string,
  told: Told,
): void {
  const variables = Array.isArray(found.container.env) ? found.container.env : [];
  variables.forEach((variable: unknown, index) => {
    if (!isRecord(variable) || typeof variable.name !== 'string') return;
    const { name, value } = variable;
    const isRegion = regionVariables.includes(name) && typeof value === 'string';
    const at = [...found.path, 'env', index, 'value'];
    const shown = isRegion ? shownValue(value) : '***';
    tell({ foreign, path: at, object, field: `env ${name}`, value: shown }, told, () => {
      if (!isRegion) return { ignored: "it belongs to the autoscaler's own process" };
      draft.region ??= value;
      return { becomes: 'region of the Cluster' };
    });
  });
}
