// A page for each scaler and their list, from the one definition each scaler has.
export { generatedFiles } from '../../packages/scalers/dist/index.js';
