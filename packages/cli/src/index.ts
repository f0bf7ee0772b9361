export { exitCodes, type ExitName } from './exitCodes.ts';
export { main } from './main.ts';
