import type { Path } from '../fields/rule.ts';
import type { Hint } from '../kind.ts';
import { resolveJobTemplate } from './jobTemplate.ts';

interface JobDocument {
  jobTargetRef: { template: Readonly<Record<string, unknown>> } & Record<string, unknown>;
  envSourceContainerName?: string | undefined;
}

/** What of a Job's template does nothing, or cannot be run, on one machine, where a Job is a process. */
export function jobTemplateHints({ jobTargetRef, envSourceContainerName }: JobDocument): Hint[] {
  const path = ['spec', 'jobTargetRef', 'template', 'spec'];
  const { spec } = jobTargetRef.template;
  const containers = listOf(spec, 'containers');
  if (containers.length === 0) {
    const message = 'the template has no containers: on one machine there is nothing that a Job could run';
    return [hint([...path, 'containers'], message)];
  }
  const named = containers.findIndex((container) => isRecord(container) && container.name === envSourceContainerName);
  const run = envSourceContainerName === undefined ? 0 : named;
  const initial = listOf(spec, 'initContainers').map((_container, index) =>
    hint([...path, 'initContainers', index], 'on one machine a Job is one process; init containers are not run'),
  );
  return [
    ...unusable(jobTargetRef, envSourceContainerName),
    ...initial,
    ...containers.flatMap((container, index) => {
      const at = [...path, 'containers', index];
      if (!isRecord(container) || run < 0) return [];
      return index === run ? runHints(container, at) : [leftOut(container, at)];
    }),
  ];
}

/** A template that Kubernetes may still refuse, or take, but that no process can be made from. */
function unusable(jobSpec: Record<string, unknown>, containerName: string | undefined): Hint[] {
  try {
    resolveJobTemplate(jobSpec, containerName ?? null);
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [hint(['spec', 'jobTargetRef'], `on one machine no Job can be made from it: ${reason}`)];
  }
}

function leftOut(container: Record<string, unknown>, path: Path): Hint {
  return hint(path, `on one machine a Job is one process, that of one container; ${nameOf(container)} is not run`);
}

function runHints(container: Record<string, unknown>, path: Path): Hint[] {
  const { image, command } = container;
  const who = nameOf(container);
  const hints: Hint[] = [];
  if (!Array.isArray(command) || command.length === 0) {
    const message =
      `${who} has no command: on one machine images are not run, so there is nothing to start and every Job will fail; ` +
      'write the command and args that the image has within';
    hints.push(hint(path, message));
  }
  if (typeof image === 'string') {
    hints.push(
      hint([...path, 'image'], `on one machine the command and args of ${who} are run as a process; its image is not`),
    );
  }
  return hints;
}

function nameOf({ name }: Record<string, unknown>): string {
  return typeof name === 'string' ? `the container "${name}"` : 'the container';
}

function hint(path: Path, message: string): Hint {
  return { path, code: 'mode-not-available', message };
}

function listOf(value: unknown, field: string): unknown[] {
  const list = isRecord(value) ? value[field] : undefined;
  return Array.isArray(list) ? list : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
