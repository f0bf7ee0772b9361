import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { ChatServer } from './chatServer.ts';
import { readSettings, type Settings, SettingError, settingsHelp } from './settings.ts';

/** Reads the settings, listens, loads the model and serves until told to stop. */
export async function main(args: string[], environment: Record<string, string | undefined>): Promise<void> {
  try {
    const settings = readSettings(args, environment);
    if (settings) await serve(settings, environment['EBB_REPLICA'] ?? 'llm-chat');
    else process.stdout.write(settingsHelp());
  } catch (error) {
    const known = error instanceof SettingError;
    process.stderr.write(known ? `llm-chat: ${error.message}\n` : `${error instanceof Error ? error.stack : error}\n`);
    process.exit(known ? 2 : 1);
  }
}

async function serve(settings: Settings, name: string): Promise<void> {
  const { modelPath, modelName } = settings;
  if (!existsSync(modelPath)) {
    throw new SettingError(`there is no model at ${modelPath}: run "npm run setup", or name a GGUF file with --model`);
  }
  const server = new ChatServer({
    model: modelName,
    parallel: settings.parallel,
    maxWaiting: settings.maxWaiting,
    defaultMaxTokens: settings.maxTokens,
    defaultTemperature: settings.temperature,
    log: (line) => process.stdout.write(`${line}\n`),
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void server.stop(settings.graceSeconds * 1000).then(() => process.exit(0));
  };
  // Not `once`: a library of the engine ends the process at a signal for which it finds no other listener.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Listening comes first, so that the replica counts as started while the model still loads.
  const url = await server.listen(settings.port);
  process.stdout.write(`${name} (pid ${process.pid}) listens on ${url}\n`);
  const { loadLlamaEngine } = await importEngine();
  server.useEngine(await loadLlamaEngine(settings));
  process.stdout.write(`${modelName} is ready ${Math.round(performance.now())} ms after the start of the process\n`);
}

/** The engine's library is what setup installs; nothing else in the repository needs it. */
async function importEngine() {
  try {
    return await import('./llamaEngine.ts');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new SettingError(`what runs the model is not installed (${(error as Error).message}): run "npm run setup"`);
  }
}
