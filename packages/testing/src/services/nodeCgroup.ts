import { copyFileSync, existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';
/** Of control groups of version 1: a group without them takes no process. */
const cpusetFiles = ['cpuset.cpus', 'cpuset.mems'];

/** Where each hierarchy of control groups is mounted: one of version 2, or one for each controller. */
function hierarchies(): string[] {
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return readdirSync(root)
    .map((name) => join(root, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/**
 * Makes a control group in which one kubelet keeps those of its pods: it ends every process below its own that is of none of its pods,
 * and so those of another node on the same machine.
 */
export function makeNodeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) {
    const path = join(hierarchy, name);
    mkdirSync(path);
    for (const file of cpusetFiles) {
      if (hierarchy !== root && existsSync(join(path, file))) copyFileSync(join(hierarchy, file), join(path, file));
    }
  }
}

/** Removes it with all that is below it; whatever still has a process stays. */
export function removeNodeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) removeBelow(join(hierarchy, name));
}

function removeBelow(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeBelow(join(path, entry.name));
    }
    rmdirSync(path);
  } catch {
    // It is gone already, or not empty.
  }
}
