import type { VersionFlags } from '../commands/version.ts';
import type { EbbContext } from '../context.ts';
import { openSession } from '../session.ts';
import { cliVersion } from '../version.ts';

export async function version(context: EbbContext, flags: VersionFlags): Promise<undefined> {
  const running = await openSession(context, flags)
    .then(({ client }) => client.status())
    .then(({ version }) => version)
    .catch(() => null);
  if (flags.json) {
    context.json({ ebb: cliVersion, node: process.versions.node, running });
    return;
  }
  context.out(
    `ebb      ${cliVersion}`,
    `node     ${process.versions.node}`,
    `running  ${running ?? 'none on this data folder'}`,
  );
}
