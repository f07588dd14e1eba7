export { inputsThere } from '../inputsThere.ts';
export { pullInputs } from '../pullInputs.ts';
export { saveOutputs } from '../saveOutputs.ts';
