import type { DoctorFlags } from '../commands/doctor.ts';
import type { EbbContext } from '../context.ts';
import { defaultApiPort, defaultGatewayPort } from '../controlPlane/start.ts';
import { findDataDirectory } from '../dataDirectory.ts';
import { checkMachine } from '../doctor/checks.ts';
import { checkLines } from '../doctor/render.ts';
import type { ExitName } from '../exitCodes.ts';

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
  context.out(...checkLines(context, checks));
  return failed ? 'failed' : 'ok';
}
