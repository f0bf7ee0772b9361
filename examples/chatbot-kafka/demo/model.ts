import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../llm-chat/', import.meta.url));

/** What to do before the model can be run; null: it is there. */
export function missingModel(): string | null {
  const hasRuntime = existsSync(`${folder}node_modules/node-llama-cpp`);
  const models = `${folder}models`;
  const hasWeights = existsSync(models) && readdirSync(models).some((name) => name.endsWith('.gguf'));
  if (hasRuntime && hasWeights) return null;
  return (
    `the model is not here yet (${hasRuntime ? 'its weights are' : 'its runtime is'} missing). Bring it once, about 100 MB:\n\n` +
    '  npm run setup --prefix examples/llm-chat\n\n' +
    'or let the consumers repeat the questions, without a model: --answerer echo'
  );
}
