import { applySources } from '../applySources.ts';
import type { UpFlags } from '../commands/up.ts';
import type { EbbContext } from '../context.ts';
import { catalogueFile } from '../instances/file.ts';
import { defaultApiPort, defaultGatewayPort, startControlPlane } from '../controlPlane/start.ts';
import { findDataDirectory } from '../dataDirectory.ts';
import { findPictureFolders } from '../demo/pictures.ts';
import { prepareDemo } from '../demo/prepare.ts';
import { checkSources } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { readSources } from '../files.ts';
import { Interrupts } from '../interrupts.ts';
import { readLaunch } from '../launch.ts';
import { readyText } from '../live/announce.ts';
import { connectSession } from '../session.ts';
import { addressLines, readyJson, type Run, stopRun } from '../up/run.ts';

/** Starts Ebb and applies the documents; what follows depends on the flags: the demo, nothing, or staying in front. */
export async function up(context: EbbContext, flags: UpFlags, ...files: string[]): Promise<ExitName> {
  const launch = readLaunch(context.env);
  const startedAtMs = Date.now();
  const json = flags.json ?? false;
  const sources = await readSources(context, files);
  const pictures = findPictureFolders(checkSources(context, sources, json), sources);
  if (flags.catalogue !== undefined) {
    // A wrong file is told before anything starts.
    const { loadOfferings } = await import('../instances/load.ts');
    await loadOfferings(context, flags.catalogue, []);
  }
  const demo = flags.demo ? prepareDemo(pictures) : null;
  const { path: dataDirectory } = findDataDirectory(flags.data, context.env, context.workingDirectory);
  const interrupts = new Interrupts();
  try {
    const controlPlane = await startControlPlane({
      dataDirectory,
      apiPort: flags.apiPort ?? defaultApiPort,
      gatewayPort: flags.gatewayPort ?? defaultGatewayPort,
      page: flags.page ?? true,
      catalogue: catalogueFile(context, flags.catalogue),
    });
    const session = await connectSession(dataDirectory);
    const beganAtMs = launch?.startedAtMs ?? startedAtMs;
    const run: Run = {
      context,
      flags,
      pictures,
      controlPlane,
      session,
      interrupts,
      launch,
      beganAtMs,
      readyMs: 0,
      startMs: 0,
    };
    try {
      if (sources.length > 0) await applySources(context, session, sources, { json, dryRun: false });
    } catch (error) {
      await stopRun(run);
      throw error;
    }
    run.readyMs = Date.now() - beganAtMs;
    run.startMs = Date.now() - startedAtMs;
    if (demo) return await (await import('../demo/runDemo.ts')).runDemo(run, demo);
    if (flags.detach) return await detach(run);
    return await (await import('../up/stayInFront.ts')).stayInFront(run);
  } finally {
    interrupts.dispose();
  }
}

async function detach(run: Run): Promise<ExitName> {
  const { context, controlPlane, flags } = run;
  controlPlane.child.stdout?.destroy();
  controlPlane.child.unref();
  if (flags.json) context.json(readyJson(run));
  else {
    const lines = addressLines(run, await run.session.client.status());
    context.out(readyText(run.readyMs, run.startMs, run.launch), ...lines, '`ebb down` stops it');
  }
  return 'ok';
}
