// Reference pages and JSON Schemas of every kind, from the one schema each kind has.
export { generatedFiles } from '../../packages/documents/dist/index.js';
