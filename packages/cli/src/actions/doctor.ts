import type { DoctorFlags } from '../commands/doctor.ts';
import type { EbbContext } from '../context.ts';
import { defaultApiPort, defaultGatewayPort } from '../controlPlane/start.ts';
import { findDataDirectory } from '../dataDirectory.ts';
import { type Check, checkMachine } from '../doctor/checks.ts';
import type { ExitName } from '../exitCodes.ts';
import { padEnd } from '../text/width.ts';

/** Runs all checks and prints a line each; `failed` when one of them stands in the way of running Ebb. */
export async function doctor(context: EbbContext, flags: DoctorFlags): Promise<ExitName> {
  const checks = await checkMachine({
    dataDirectory: findDataDirectory(flags.data, context.env, context.workingDirectory),
    apiPort: flags.apiPort ?? defaultApiPort,
    gatewayPort: flags.gatewayPort ?? defaultGatewayPort,
  });
  const failed = checks.some((check) => check.state === 'bad');
  if (flags.json) {
    context.json({ ok: !failed, checks });
    return failed ? 'failed' : 'ok';
  }
  const width = Math.max(...checks.map((check) => check.name.length));
  for (const check of checks) {
    context.out(`${sign(context, check)} ${padEnd(check.name, width)}  ${check.found}`);
    if (check.hint !== null) context.out(context.colors.dim(`  ${' '.repeat(width)}  ${check.hint}`));
  }
  return failed ? 'failed' : 'ok';
}

function sign({ colors, glyphs }: EbbContext, check: Check): string {
  if (check.state === 'ok') return colors.green(padEnd(glyphs.check, 2));
  return check.state === 'bad' ? colors.red(padEnd(glyphs.cross, 2)) : colors.yellow(padEnd('!', 2));
}
